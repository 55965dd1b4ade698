// The options of money: what a month may cost, and what tokens cost.

import { hardLimitActions } from '../base/routing-words.ts';
import { choice, decimal, filePath, integer } from './option.ts';

export const budgetOptions = {
  monthlyLimitUsd: decimal({
    fallback: 0,
    min: 0,
    max: 1_000_000_000,
    words: 'USD that the installation may spend in a calendar month (UTC); 0 sets no limit.',
  }),
  softLimitPercent: integer({
    fallback: 75,
    min: 0,
    max: 100,
    unit: '%',
    words: 'Share of the limit beyond which cloud backends are chosen less.',
  }),
  hardLimitAction: choice({
    of: hardLimitActions,
    fallback: 'warn',
    words:
      'Once the limit is spent: only warn, take no backend of the open zone, or take none at all (503).',
  }),
} as const;

export const priceOptions = {
  file: filePath({
    words:
      'Price list (YAML) of cloud models and of priced local backends; read again with the configuration. Not set: a short built-in list of February 2024.',
  }),
} as const;
