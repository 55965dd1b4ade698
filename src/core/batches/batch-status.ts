// The states of an OpenAI batch, which are OpenAI's, and which follow from which.
//
//   validating --> in_progress --> finalizing --> completed
//     |     |          |                    \---> expired
//     |     +----------+--> cancelling --> cancelled
//     +--> failed
//
// A batch that ran out of time is finalized as one that came to its end: what it has is kept.

export type BatchStatus =
  | 'validating'
  | 'failed'
  | 'in_progress'
  | 'finalizing'
  | 'completed'
  | 'expired'
  | 'cancelling'
  | 'cancelled';

const cancellable: ReadonlySet<BatchStatus> = new Set(['validating', 'in_progress', 'cancelling']);

/** May it be cancelled? Asking again while it is being cancelled changes nothing. */
export function isCancellable(status: BatchStatus): boolean {
  return cancellable.has(status);
}
