// What a routing record says of each backend that lists the model, in columns by its place among the
// candidates: flat arrays that grow to the largest record met and are used again.

const firstRoom = 16;

export class CandidateColumns {
  count = 0;
  /** Codes of stagesInOrder; 0 for a candidate. */
  stage = new Uint8Array(firstRoom);
  statusCode = new Uint8Array(firstRoom);
  /** 1 where the slot was still the backend's. */
  isCurrent = new Uint8Array(firstRoom);
  pending = new Float64Array(firstRoom);
  capacity = new Float64Array(firstRoom);
  latencyMs = new Float64Array(firstRoom);
  /** 0 for an excluded backend. */
  score = new Float64Array(firstRoom);

  /** Room for `count` candidates, whose figures are to be written. */
  resize(count: number): void {
    this.count = count;
    if (count <= this.stage.length) return;
    this.stage = new Uint8Array(count);
    this.statusCode = new Uint8Array(count);
    this.isCurrent = new Uint8Array(count);
    this.pending = new Float64Array(count);
    this.capacity = new Float64Array(count);
    this.latencyMs = new Float64Array(count);
    this.score = new Float64Array(count);
  }
}
