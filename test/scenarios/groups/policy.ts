// Group 6, serving mode: documented samples, one step at a time, and gates that only tighten.

import { equal, exactly, near, that } from '../expectations.ts';
import { cycled, type Group, turn } from './group.ts';

const modes = ['normal', 'watch', 'restricted', 'halted'] as const;

export const policyGroup: Group = {
  name: 'policy',
  check({ policy }, i) {
    const start = cycled(['normal', 'watch'], i);
    const burst = 2 + (i % 3);
    const escalated = policy.next_policy(start, burst);
    equal('above normal', policy.policy_index(escalated), 1 + (i % 2));
    const any = cycled(modes, turn(i));
    const place = modes.indexOf(any);
    equal('exactly one step up', policy.next_policy(any, burst), modes[Math.min(3, place + 1)]);
    equal('one failure is no burst', policy.next_policy(any, turn(i) % 2), any);
    that('a mode below', policy.previous_policy(start) !== '');
    equal('exactly one step down', policy.previous_policy(any), modes[Math.max(0, place - 1)]);

    that('within the objective', policy.check_sla_compliance(30 + (i % 20), 60));
    equal('beyond it', policy.check_sla_compliance(90, 60), false);
    const rate = (i % 10) / 10;
    equal('equality does not escalate', policy.escalation_needed(rate, rate), false);
    that('anything above does', policy.escalation_needed(rate + 0.01, rate));
    const severity = 4 + (i % 3);
    exactly('risk is a product', policy.risk_score(severity, 0.5) * 2, severity);
    const grace = 10 + (i % 20);
    that('grace is inclusive', policy.within_grace_period(grace, grace));
    equal('and ends', policy.within_grace_period(grace + 1, grace), false);
    equal('multiplier', policy.cooldown_multiplier(cycled(modes, i)), cycled([1, 2, 4, 8], i));
    near(
      'mean of the products',
      policy.aggregate_risk([
        [10, 0.5],
        [4, 1],
        [12, 0.5],
      ]),
      5,
    );
    equal('no events, no risk', policy.aggregate_risk([]), 0);

    equal('a cooldown blocks', policy.escalation_with_cooldown(any, burst, i, i + 100, 200), any);
    equal(
      'and ends when it is over',
      policy.escalation_with_cooldown(any, burst, i, i + 200, 200),
      policy.next_policy(any, burst),
    );
    equal('what is left of it', policy.cooldown_remaining(i, i + 100, 200), 100);

    equal('stricter is heavier', modes.map(policy.policy_weight), [1, 2, 3, 4]);
    equal('stricter cools longer', modes.map(policy.cooldown_multiplier), [1, 2, 4, 8]);
    equal('stricter retries less', modes.map(policy.max_retries_for_policy), [3, 2, 1, 0]);
    const gate = modes.map((mode) => (turn(i) % 4) + 1 <= policy.max_retries_for_policy(mode));
    equal('refused once is refused in all stricter modes', gate, [...gate].sort().reverse());

    const engine = policy.PolicyEngine();
    const wanted = 1 + (i % 5);
    for (let step = 0; step < wanted; step += 1) engine.escalate(burst);
    const reached = Math.min(3, wanted);
    equal('the engine climbs by single steps', engine.current(), modes[reached]);
    const steps = modes.slice(0, reached).map((from, at) => {
      return { from, to: modes[at + 1], reason: `escalation: ${burst} failures` };
    });
    equal('one entry for each real change', engine.history(), steps);
  },
};
