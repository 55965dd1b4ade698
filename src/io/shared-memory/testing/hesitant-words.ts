/// <reference lib="esnext.sharedmemory" />
// A port that hesitates before some of its steps, so that threads meet inside of each other's
// operations also on a machine with few cores: one step in 16 waits up to 2 us, one in 256 sleeps.

import type { Random } from '../../../base/random.ts';
import type { Words } from '../words.ts';

const sleepMs = 0.02;
const pausesMax = 64;

export function hesitantWords(words: Words, random: Random): Words {
  const sleeper = new Int32Array(new SharedArrayBuffer(4));
  const hesitate = (): void => {
    const draw = random.nextUint32();
    if ((draw & 0xff) === 0) Atomics.wait(sleeper, 0, 0, sleepMs);
    else if ((draw & 0xf) === 0) {
      for (let left = (draw >>> 8) % pausesMax; left > 0; left--) Atomics.pause();
    }
  };
  const after = <Args extends readonly unknown[], Result>(step: (...args: Args) => Result) => {
    return (...args: Args): Result => {
      hesitate();
      return step(...args);
    };
  };
  return {
    load: after(words.load),
    store: after(words.store),
    compareExchange: after(words.compareExchange),
    compareExchange64: after(words.compareExchange64),
    glance: after(words.glance),
    scribble: after(words.scribble),
    pause: words.pause,
  };
}
