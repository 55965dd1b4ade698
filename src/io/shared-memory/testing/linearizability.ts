// Decides whether a history of concurrent operations could have happened one after the other, each
// at some moment between its invocation and its return (J. M. Wing, C. Gong, "Testing and Verifying
// Concurrent Objects", 1993). The search goes depth first over "which operation was next" and
// remembers the pairs of (operations done, state of the model) that led nowhere (G. Lowe, "Testing
// for Linearizability", 2017). The operations of one thread have an order, so the set of those done
// is a number for each thread.

/** What the object does when one operation follows the other. States are values: never changed. */
export type Model<State, Call, Answer> = {
  readonly initial: State;
  step(state: State, call: Call): { readonly state: State; readonly answer: Answer };
  isSameAnswer(one: Answer, other: Answer): boolean;
  /** Equal for equal states only. */
  keyOf(state: State): string;
};

export type Operation<Call, Answer> = {
  readonly call: Call;
  /** Time of the invocation. No two events of a history have the same time. */
  readonly invoked: number;
  /** Absent for an operation that never returned: it may have happened or not. */
  readonly returned?: { readonly at: number; readonly answer: Answer };
};

/** For each thread its operations, in their order. */
export type History<Call, Answer> = readonly (readonly Operation<Call, Answer>[])[];

type Node<State> = {
  readonly done: readonly number[];
  readonly state: State;
};

export function isLinearizable<State, Call, Answer>(
  model: Model<State, Call, Answer>,
  history: History<Call, Answer>,
): boolean {
  const start = { done: history.map(() => 0), state: model.initial };
  const open: Node<State>[] = [start];
  const seen = new Set<string>();
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (isComplete(history, node.done)) return true;
    for (const next of successors(model, history, node)) {
      const key = `${next.done.join()} ${model.keyOf(next.state)}`;
      if (seen.has(key)) continue;
      seen.add(key);
      open.push(next);
    }
  }
  return false;
}

/** Only what never returned is left. */
function isComplete<Call, Answer>(
  history: History<Call, Answer>,
  done: readonly number[],
): boolean {
  return history.every((operations, thread) => {
    const next = operations[done[thread] ?? 0];
    return next?.returned === undefined;
  });
}

function* successors<State, Call, Answer>(
  model: Model<State, Call, Answer>,
  history: History<Call, Answer>,
  { done, state }: Node<State>,
): Generator<Node<State>> {
  const next = history.map((operations, thread) => operations[done[thread] ?? 0]);
  // Whoever was invoked after another one had returned cannot come before it.
  const firstReturn = Math.min(...next.map((operation) => operation?.returned?.at ?? Infinity));
  for (const [thread, operation] of next.entries()) {
    if (operation === undefined || operation.invoked > firstReturn) continue;
    const { state: after, answer } = model.step(state, operation.call);
    const { returned } = operation;
    if (returned !== undefined && !model.isSameAnswer(answer, returned.answer)) continue;
    yield { done: done.with(thread, (done[thread] ?? 0) + 1), state: after };
  }
}

/** The history in the order of its events, for the message of a failed test. */
export function historyWords<Call, Answer>(history: History<Call, Answer>): string {
  const events = history.flatMap((operations, thread) =>
    operations.flatMap(({ call, invoked, returned }) => [
      { at: invoked, words: `thread ${thread} calls ${JSON.stringify(call)}` },
      ...(returned === undefined
        ? []
        : [{ at: returned.at, words: `thread ${thread} gets ${JSON.stringify(returned.answer)}` }]),
    ]),
  );
  return events
    .sort((a, b) => a.at - b.at)
    .map(({ at, words }) => `${at} ${words}`)
    .join('\n');
}
