// What the form for a new key says, checked as the server will check it, with all faults at once.

import type { NewKey } from '../api/actions.ts';

export type KeyForm = { readonly name: string; readonly models: string; readonly days: string };

export type CheckedKey = {
  readonly key: NewKey | undefined;
  /** By field; empty when the key is good. */
  readonly faults: Readonly<Record<string, string>>;
};

const nameLengthMax = 128;
const modelsMax = 100;
const daysMax = 36_500;

export function checkNewKey(form: KeyForm): CheckedKey {
  const name = form.name.trim();
  const models = form.models
    .split(',')
    .map((model) => model.trim())
    .filter((model) => model !== '');
  const days = /^\d{1,5}$/.test(form.days.trim()) ? Number(form.days) : Number.NaN;
  const faults: Record<string, string> = {};
  if (name === '') faults['name'] = 'A key needs a name.';
  if (name.length > nameLengthMax) {
    faults['name'] = `${name.length} characters; at most ${nameLengthMax}.`;
  }
  if (models.length > modelsMax) {
    faults['models'] = `${models.length} models; at most ${modelsMax}.`;
  }
  if (!(days >= 0 && days <= daysMax)) faults['days'] = `A whole number from 0 to ${daysMax}.`;
  if (Object.keys(faults).length > 0) return { key: undefined, faults };
  return { key: { name, models, expiresInDays: days }, faults };
}
