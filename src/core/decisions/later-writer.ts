// Writes what only some requests leave: later-records.ts reads it, block-layout.ts draws it.

import {
  causeCodes,
  endingCodes,
  endingShift,
  queuedBits,
  recordBytesMax,
  shadowOutcomeCodes,
} from './block-layout.ts';
import type { BlockWriter } from './block-writer.ts';
import type {
  AnnotatedRecord,
  BatchedRecord,
  DegradedRecord,
  LaterRecord,
  QueuedRecord,
  ShadowedRecord,
} from './decision-record.ts';
import { lane, microseconds } from './record-lanes.ts';

/** Bytes that the numbers of two known texts take at most. */
const annotationBytesMax = 16;

/** Bytes of the record at most, new texts aside. */
export function laterBytesMax(record: LaterRecord): number {
  if (record.kind !== 'annotated') return recordBytesMax;
  return recordBytesMax + annotationBytesMax * record.annotations.length;
}

/** What follows the request of the record. */
export function writeLater(writer: BlockWriter, record: LaterRecord): void {
  switch (record.kind) {
    case 'queued':
      writeQueued(writer, record);
      return;
    case 'batched':
      writeBatched(writer, record);
      return;
    case 'shadowed':
      writeShadowed(writer, record);
      return;
    case 'annotated':
      writeAnnotated(writer, record);
      return;
    case 'degraded_served':
      writeDegraded(writer, record);
  }
}

function writeQueued(writer: BlockWriter, record: QueuedRecord): void {
  const { depth, sizeMax, held, isEmergency } = record.reading;
  const emergency = isEmergency ? queuedBits.emergency : 0;
  writer.byte(record.priorityClass | emergency | (endingCodes[record.ended] << endingShift));
  writer.text(lane.group, record.groupName);
  writer.varint(depth);
  writer.varint(sizeMax);
  writer.varint(held);
  writer.varint(microseconds(record.waitedMs));
}

function writeBatched(writer: BlockWriter, record: BatchedRecord): void {
  writer.request(record.batchId);
  writer.byte(causeCodes[record.cause]);
  writer.varint(record.size);
  writer.varint(record.limit);
  writer.varint(microseconds(record.waitedMs));
}

function writeShadowed(writer: BlockWriter, record: ShadowedRecord): void {
  const { backendId, distance } = record;
  writer.text(lane.shadow, record.shadow);
  writer.text(lane.model, record.model);
  writer.byte((shadowOutcomeCodes[record.outcome] << 1) | (backendId === undefined ? 0 : 1));
  if (backendId !== undefined) writer.text(lane.backend, backendId);
  writer.varint(record.status);
  writer.varint(record.completionTokens);
  writer.varint(microseconds(record.totalMs));
  writer.varint(record.primaryStatus);
  writer.varint(record.primaryCompletionTokens);
  writer.varint(microseconds(record.primaryTotalMs));
  writer.varint(distance === undefined ? 0 : 1 + distance);
}

function writeAnnotated(writer: BlockWriter, { annotations }: AnnotatedRecord): void {
  writer.varint(annotations.length);
  for (const { name, value } of annotations) {
    writer.text(lane.annotation, name);
    writer.text(lane.value, value);
  }
}

function writeDegraded(writer: BlockWriter, record: DegradedRecord): void {
  writer.text(lane.code, record.code);
  writer.varint(record.ageMs);
}
