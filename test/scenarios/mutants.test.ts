// Goal: the matrix and the examples would notice if the product were wrong. Method: defects that
// people make are planted into one operation at a time (defects/), and, without thinking, the answer
// of every single operation and method is spoilt. Each must make a case fail.

import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
import { type Documents, documents } from '../support/documents.ts';
import { defects } from './defects/defects.ts';
import { examples } from './examples/examples.ts';
import { examplesName, groups, runMatrix } from './matrix.ts';

function isNoticed(broken: Documents, only: string): boolean {
  return runMatrix(broken, 'grouped', examples, { only, isFirstEnough: true }).failed > 0;
}

describe('a planted defect is noticed', () => {
  for (const { words, where, documents: broken } of defects) {
    it(`${where}: ${words}`, () => assert.ok(isNoticed(broken, where)));
  }
});

test('every group of the matrix but the flow has planted defects', () => {
  const names = new Set(defects.map(({ where }) => where));
  const bare = groups.map(({ name }) => name).filter((name) => !names.has(name));
  assert.deepEqual(bare, ['integration']);
});

/** Another value of the same kind. */
function spoilt(value: unknown): unknown {
  if (typeof value === 'number') return value === Number.MAX_VALUE ? 0 : value + 1;
  if (typeof value === 'boolean') return !value;
  if (typeof value === 'string') return `${value}?`;
  if (value === null || value === undefined) return 0;
  if (Array.isArray(value)) return value.length === 0 ? [0] : value.slice(1);
  const members = Object.entries(value).map(([key, member]) => [key, spoilt(member)]);
  return members.length === 0 ? { spoilt: true } : Object.fromEntries(members);
}

type Operation = (...args: readonly unknown[]) => unknown;

function spoiltAnswer(operation: Operation): Operation {
  return (...args) => spoilt(operation(...args));
}

/** Refuses nothing. */
function deaf(operation: Operation): Operation {
  return (...args) => {
    try {
      return operation(...args);
    } catch {
      return null;
    }
  };
}

function isOperation(value: unknown): value is Operation {
  return typeof value === 'function';
}

/** The documents with one operation wrapped. */
function wrapped(
  module: string,
  name: string,
  wrap: (operation: Operation) => Operation,
): Documents {
  const sound: object = Reflect.get(documents, module);
  const operation: unknown = Reflect.get(sound, name);
  assert.ok(isOperation(operation), `${module}.${name}`);
  return { ...documents, [module]: { ...sound, [name]: wrap(operation) } };
}

/** A factory of objects of which one method is wrapped; the object stays the same one. */
function wrapMethod(method: string, wrap: (operation: Operation) => Operation) {
  return (factory: Operation): Operation =>
    (...args) => {
      const made = factory(...args);
      assert.ok(typeof made === 'object' && made !== null);
      const operation: unknown = Reflect.get(made, method);
      assert.ok(isOperation(operation), method);
      Reflect.set(made, method, wrap(operation));
      return made;
    };
}

/** Second names of what is judged under its first, and a hash that takes tens of milliseconds. */
const judgedElsewhere = new Set([
  'resilience.CheckpointManager',
  'checkpoint.TrainingCheckpointManager',
  'security.hash_password',
]);

/** What the factories are made with, to see which methods come of it. */
const samples: Readonly<Record<string, readonly unknown[]>> = {
  GpuMemoryPool: [
    {
      device_id: 'gpu-01',
      total_memory: 1,
      memory_clock_mhz: 1,
      compute_capability: [9, 0],
    },
  ],
  DispatchOrder: ['a', 1, 1],
  TrainingCheckpointManager: [],
  CheckpointManager: [],
};

/** The methods of what a factory makes; none for an operation that is none. */
function methodsOf(name: string, operation: Operation): readonly string[] {
  if (!/^[A-Z]/.test(name)) return [];
  const made = operation(...(samples[name] ?? [1, 1]));
  if (typeof made !== 'object' || made === null) return [];
  return Reflect.ownKeys(made).flatMap((key) =>
    typeof key === 'string' && isOperation(Reflect.get(made, key)) ? [key] : [],
  );
}

/** Every operation and method, as the documents in which its answer is spoilt. */
function* spoiltOperations(): Generator<readonly [name: string, broken: Documents]> {
  for (const [module, operations] of Object.entries(documents)) {
    for (const [name, operation] of Object.entries<unknown>(operations)) {
      if (judgedElsewhere.has(`${module}.${name}`)) continue;
      assert.ok(isOperation(operation));
      const methods = methodsOf(name, operation);
      if (methods.length === 0) {
        yield [`${module}.${name}`, wrapped(module, name, spoiltAnswer)];
        continue;
      }
      for (const method of methods) {
        const wrap = wrapMethod(method, spoiltAnswer);
        yield [`${module}.${name}.${method}`, wrapped(module, name, wrap)];
      }
    }
  }
}

test('a spoilt answer of any operation or method makes an example fail', () => {
  const unnoticed: string[] = [];
  let count = 0;
  for (const [name, broken] of spoiltOperations()) {
    count += 1;
    if (!isNoticed(broken, examplesName)) unnoticed.push(name);
  }
  assert.ok(count > 300, `${count} operations and methods`);
  assert.deepEqual(unnoticed, []);
});

test('a check that refuses nothing makes an example fail', () => {
  const checks = [
    ['config', 'validate_config'],
    ['allocator', 'dispatch_batch'],
    ['allocator', 'validate_order'],
    ['allocator', 'validate_batch'],
    ['contracts', 'validate_contract'],
    ['contracts', 'topological_order'],
    ['models', 'validate_dispatch_order'],
    ['resilience', 'replay'],
    ['security', 'sign_manifest'],
    ['security', 'sanitise_path'],
    ['checkpoint', 'validate_checkpoint'],
  ] as const;
  for (const [module, name] of checks) {
    assert.ok(isNoticed(wrapped(module, name, deaf), examplesName), `${module}.${name}`);
  }
});

/** Which operations a group calls, by watching it over its first indices. */
function calledBy(check: (watched: Documents) => void): ReadonlySet<string> {
  const called = new Set<string>();
  const watched = Object.entries(documents).map(([module, operations]) => {
    const entries = Object.entries<unknown>(operations).map(([name, operation]) => {
      assert.ok(isOperation(operation));
      const seen: Operation = (...args) => {
        called.add(`${module}.${name}`);
        return operation(...args);
      };
      return [name, seen];
    });
    return [module, Object.fromEntries(entries)];
  });
  check({ ...documents, ...Object.fromEntries(watched) });
  return called;
}

test('a spoilt answer of any operation that a group asks for makes a case of that group fail', () => {
  const unnoticed: string[] = [];
  for (const [place, { name, check }] of groups.entries()) {
    const called = calledBy((watched) => {
      for (let turn = 0; turn < 4; turn += 1) {
        check(watched, place + turn * groups.length, 'grouped');
      }
    });
    for (const call of called) {
      const [module = '', operation = ''] = call.split('.');
      if (/^[A-Z]/.test(operation)) continue;
      if (!isNoticed(wrapped(module, operation, spoiltAnswer), name)) {
        unnoticed.push(`${name}: ${call}`);
      }
    }
  }
  assert.deepEqual(unnoticed, []);
});
