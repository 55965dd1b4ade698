// What groups spent since the start, as a metric. Groups can be many: the first 200 have a series of
// their own, the rest share one.

import { usdOf } from '../../core/usage/money.ts';
import { otherName, type UsageRow } from '../../core/usage/usage-sums.ts';
import { labelValue } from './thread-metrics.ts';

const groupsMax = 200;
const name = 'tensorforge_cost_usd_total';

export class CostMetrics {
  readonly #groups = new Map<string, number>();

  add(rows: readonly UsageRow[]): void {
    for (const { groupName, priced, costMicroUsd } of rows) {
      if (priced === 0) continue;
      const hasPlace = this.#groups.has(groupName) || this.#groups.size < groupsMax;
      const label = hasPlace ? groupName : otherName;
      this.#groups.set(label, costMicroUsd + (this.#groups.get(label) ?? 0));
    }
  }

  /** Prometheus text. */
  text(): string {
    const series = [...this.#groups].map(
      ([group, micro]) => `${name}{group_name="${labelValue(group)}"} ${usdOf(micro)}\n`,
    );
    const help = 'Cost of requests on priced backends, settled since the start.';
    return `# HELP ${name} ${help}\n# TYPE ${name} counter\n${series.join('')}`;
  }
}
