// Rules between the members of experiments and copies: shares that sum, names that stand once.

import type { CrossFault } from './cross-fault.ts';
import type { Configuration } from './options.ts';

type Routing = Pick<Configuration['routing'], 'splits' | 'shadows'>;

const pointsOfAll = 10_000;

function sumFaults({ splits }: Routing): CrossFault[] {
  return splits.flatMap(({ name, arms }, i) => {
    const points = arms.map(({ basisPoints }) => basisPoints);
    const sum = points.reduce((a, b) => a + b, 0);
    if (sum === pointsOfAll) return [];
    return [
      {
        path: `routing.splits[${i}].arms`,
        value: `${points.join(' + ')} = ${sum}`,
        expected: `basis points of experiment “${name}” that sum to ${pointsOfAll}`,
        depends: ['routing.splits'],
        steps: ['routing', 'splits', i, 'arms'],
      },
    ];
  });
}

/** Names that stand twice in one list, each told where it stands again. */
function nameFaults(
  names: readonly string[],
  place: { readonly list: string; readonly of: string; readonly steps: CrossFault['steps'] },
  depends: string,
): CrossFault[] {
  return names.flatMap((name, i) => {
    const first = names.indexOf(name);
    if (first === i) return [];
    return [
      {
        path: `${place.list}[${i}].name`,
        value: name,
        expected: `a name of its own; ${place.of} ${first} has this one`,
        depends: [depends],
        steps: [...(place.steps ?? []), i, 'name'],
      },
    ];
  });
}

/** Every broken rule of experiments and copies. */
export function trafficFaults(routing: Routing): CrossFault[] {
  const { splits, shadows } = routing;
  const experiments = { list: 'routing.splits', of: 'experiment', steps: ['routing', 'splits'] };
  const copies = { list: 'routing.shadows', of: 'rule', steps: ['routing', 'shadows'] };
  const namesOf = (list: readonly { readonly name: string }[]) => list.map(({ name }) => name);
  return [
    ...sumFaults(routing),
    ...nameFaults(namesOf(splits), experiments, 'routing.splits'),
    ...nameFaults(namesOf(shadows), copies, 'routing.shadows'),
    ...splits.flatMap(({ arms }, i) => {
      const list = `routing.splits[${i}].arms`;
      const steps = ['routing', 'splits', i, 'arms'];
      return nameFaults(namesOf(arms), { list, of: 'arm', steps }, 'routing.splits');
    }),
  ];
}
