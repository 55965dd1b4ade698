// The one button. An action that the session may not do stays visible, disabled, and says why.

import type { ComponentProps } from 'react';
import styles from './button.module.css';

export type ButtonKind = 'plain' | 'primary' | 'danger' | 'quiet';

export type ButtonProps = Omit<ComponentProps<'button'>, 'className'> & {
  readonly kind?: ButtonKind;
  /** Why it cannot be used now; undefined when it can. */
  readonly refusal?: string | undefined;
};

export function buttonClass(kind: ButtonKind): string {
  return `${styles.button} ${styles[kind]}`;
}

export function Button({ kind = 'plain', refusal, onClick, ...rest }: ButtonProps) {
  const refused = refusal !== undefined;
  return (
    <button
      type="button"
      {...rest}
      className={buttonClass(kind)}
      // aria-disabled keeps it reachable, so that a keyboard finds the reason too.
      aria-disabled={refused ? true : undefined}
      title={refusal ?? rest.title}
      onClick={refused ? (event) => event.preventDefault() : onClick}
    />
  );
}
