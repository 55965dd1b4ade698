// What the requests of one gateway thread used, summed until the next report. The usual request finds
// its cell by three look-ups and allocates nothing; a cell that has reported stays for the next one.
//
//   U1  Every settled request is in exactly one row of one report.
//   U2  Between reports no more than `keptMax` cells are kept; during one there is at most one more for
//       each request.

import {
  noFigures,
  outcomeOf,
  type UsageCell,
  type UsageFigures,
  type UsageRow,
} from '../../core/usage/usage-sums.ts';
import type { SettledRequest } from './newest-decisions.ts';

/** Whose use it is, and of what. */
export type UsedRequest = Pick<
  SettledRequest,
  'at' | 'keyId' | 'groupName' | 'backendId' | 'servedModel' | 'status'
>;

/** What one request used. */
export type RequestUse = {
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly cachedTokens: number;
  /** Undefined where nothing is charged for the backend. */
  readonly costMicroUsd: number | undefined;
  /** Whole milliseconds that the backend worked. */
  readonly backendMs: number;
};

type Cell = { readonly place: Omit<UsageCell, 'hour'>; readonly figures: UsageFigures };
type CellsOfBackend = Map<string, Cell>;

const keptMax = 4096;
const hourMs = 3_600_000;

export class UsageAccount {
  /** Key -> backend -> model. */
  readonly #keys = new Map<string, Map<string, CellsOfBackend>>();
  readonly #cells: Cell[] = [];
  #hour = 0;
  /** Rows of an hour that ended since the last report. */
  #ended: UsageRow[] = [];

  add(request: UsedRequest, use: RequestUse): void {
    const hour = Math.floor(request.at / hourMs);
    if (hour !== this.#hour) {
      this.#ended.push(...this.#take());
      this.#hour = hour;
    }
    const { figures } = this.#cellOf(request);
    figures.requests++;
    figures[outcomeOf(request.status)]++;
    figures.promptTokens += use.promptTokens;
    figures.completionTokens += use.completionTokens;
    figures.cachedTokens += use.cachedTokens;
    figures.backendMs += use.backendMs;
    if (use.costMicroUsd !== undefined) {
      figures.priced++;
      figures.costMicroUsd += use.costMicroUsd;
    } else if (use.promptTokens + use.completionTokens > 0) figures.unpriced++;
  }

  /** The rows since the last call. */
  drain(): readonly UsageRow[] {
    const rows = [...this.#ended, ...this.#take()];
    this.#ended = [];
    if (this.#cells.length > keptMax) {
      this.#keys.clear();
      this.#cells.length = 0;
    }
    return rows;
  }

  #take(): UsageRow[] {
    const rows: UsageRow[] = [];
    for (const { place, figures } of this.#cells) {
      if (figures.requests === 0) continue;
      rows.push({ hour: this.#hour, ...place, ...figures });
      Object.assign(figures, noFigures());
    }
    return rows;
  }

  #cellOf({ keyId, groupName, backendId = '', servedModel = '' }: UsedRequest): Cell {
    let backends = this.#keys.get(keyId);
    if (backends === undefined) {
      backends = new Map();
      this.#keys.set(keyId, backends);
    }
    let models = backends.get(backendId);
    if (models === undefined) {
      models = new Map();
      backends.set(backendId, models);
    }
    let cell = models.get(servedModel);
    if (cell === undefined) {
      const place = { keyId, groupName, model: servedModel, backendId };
      cell = { place, figures: noFigures() };
      models.set(servedModel, cell);
      this.#cells.push(cell);
    }
    return cell;
  }
}
