// One of many values, or all of them, as the browser's own list: its keys and its reading are right
// everywhere.

import { useId } from 'react';
import styles from './select-field.module.css';

export type SelectFieldProps = {
  readonly label: string;
  /** What is chosen when no value is. */
  readonly all: string;
  readonly values: readonly string[];
  readonly value: string | undefined;
  readonly onChange: (value: string | undefined) => void;
};

export function SelectField({ label, all, values, value, onChange }: SelectFieldProps) {
  const id = useId();
  return (
    <span className={styles.field}>
      <label htmlFor={id} className="muted">
        {label}
      </label>
      <select
        id={id}
        className={styles.select}
        value={value ?? ''}
        onChange={({ target }) => onChange(target.value === '' ? undefined : target.value)}
      >
        <option value="">{all}</option>
        {values.map((one) => (
          <option key={one} value={one}>
            {one}
          </option>
        ))}
      </select>
    </span>
  );
}
