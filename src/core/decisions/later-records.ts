// What a cursor shows of records of later kinds: facts about a request besides how it was admitted, where
// it went and how it ended. Each kind is read into members that the next one of its kind writes over.

import type { Annotation } from '../../base/annotation.ts';
import { isPriorityClass } from '../jobs/priority-class.ts';
import {
  causesInOrder,
  distanceMax,
  endingShift,
  endingsInOrder,
  type LaterKind,
  queuedBits,
  shadowOutcomesInOrder,
} from './block-layout.ts';
import { type BlockReader, codeOf, oneOf } from './block-reader.ts';
import {
  shownAnnotated,
  shownBatched,
  shownDegraded,
  shownQueued,
  shownShadowed,
} from './shown-records.ts';

export class LaterRecords {
  readonly queued = shownQueued();
  readonly batched = shownBatched();
  readonly shadowed = shownShadowed();
  readonly annotated = shownAnnotated();
  readonly degraded = shownDegraded();

  /** Reads what follows the request of a record of this kind. */
  read(kind: LaterKind, reader: BlockReader): void {
    switch (kind) {
      case 'queued':
        this.#readQueued(reader);
        return;
      case 'batched':
        this.#readBatched(reader);
        return;
      case 'shadowed':
        this.#readShadowed(reader);
        return;
      case 'annotated':
        this.#readAnnotated(reader);
        return;
      case 'degraded_served':
        this.#readDegraded(reader);
    }
  }

  #readQueued(reader: BlockReader): void {
    const { queued } = this;
    const from = reader.offset;
    const bits = reader.byte();
    const priorityClass = bits & 7;
    const ended = endingsInOrder[bits >> endingShift];
    if (isPriorityClass(priorityClass)) queued.priorityClass = priorityClass;
    else reader.breakAt(from, `has the priority class ${priorityClass}`);
    if (ended === undefined) reader.breakAt(from, `has the ending ${bits >> endingShift}`);
    else queued.ended = ended;
    queued.groupName = reader.text();
    queued.reading.isEmergency = (bits & queuedBits.emergency) !== 0;
    queued.reading.depth = reader.varint();
    queued.reading.sizeMax = reader.varint();
    queued.reading.held = reader.varint();
    queued.waitedMs = reader.varint() / 1000;
  }

  #readBatched(reader: BlockReader): void {
    const { batched } = this;
    batched.batch = reader.request();
    batched.cause = oneOf(reader, causesInOrder, 'the cause') ?? 'full';
    batched.size = reader.varint();
    batched.limit = reader.varint();
    batched.waitedMs = reader.varint() / 1000;
  }

  #readShadowed(reader: BlockReader): void {
    const { shadowed } = this;
    shadowed.shadow = reader.text();
    shadowed.model = reader.text();
    const bitsFrom = reader.offset;
    const bits = reader.byte();
    const outcome = shadowOutcomesInOrder[bits >> 1];
    if (outcome === undefined) reader.breakAt(bitsFrom, `has the outcome of a copy ${bits >> 1}`);
    shadowed.outcome = outcome ?? 'failed';
    shadowed.backendId = (bits & 1) === 0 ? undefined : reader.text();
    shadowed.status = reader.varint();
    shadowed.completionTokens = reader.varint();
    shadowed.totalMs = reader.varint() / 1000;
    shadowed.primaryStatus = reader.varint();
    shadowed.primaryCompletionTokens = reader.varint();
    shadowed.primaryTotalMs = reader.varint() / 1000;
    const from = reader.offset;
    const distance = reader.varint();
    if (distance > 1 + distanceMax) reader.breakAt(from, `has the distance ${distance - 1}`);
    shadowed.distance = distance === 0 ? undefined : distance - 1;
  }

  #readAnnotated(reader: BlockReader): void {
    const from = reader.offset;
    const count = reader.varint();
    if (2 * count > reader.left) {
      reader.breakAt(from, `has ${count} annotations in ${reader.left} bytes`);
    }
    const annotations: Annotation[] = [];
    while (annotations.length < count && reader.broken === undefined) {
      annotations.push({ name: reader.text(), value: reader.text() });
    }
    this.annotated.annotations = annotations;
  }

  #readDegraded(reader: BlockReader): void {
    this.degraded.code = codeOf(reader);
    this.degraded.ageMs = reader.varint();
  }
}
