// One line of a form: its label, the input or the text area, and under it what to write there or
// what is wrong with it.

import { type ReactNode, useId } from 'react';
import styles from './dialog.module.css';

type FieldFrame = {
  readonly label: string;
  readonly hint: string;
  /** What is wrong with the value; undefined when nothing is. */
  readonly fault: string | undefined;
};

type ControlProps = {
  readonly id: string;
  readonly className: string | undefined;
  readonly 'aria-describedby': string;
  readonly 'aria-invalid': boolean;
};

function Framed({
  label,
  hint,
  fault,
  control,
}: FieldFrame & { readonly control: (props: ControlProps) => ReactNode }) {
  const id = useId();
  const props = {
    id,
    className: styles.input,
    'aria-describedby': `${id}-hint`,
    'aria-invalid': fault !== undefined,
  };
  return (
    <div className={styles.field}>
      <label htmlFor={id}>{label}</label>
      {control(props)}
      <span id={`${id}-hint`} className="muted wrap-anywhere">
        {fault ?? hint}
      </span>
    </div>
  );
}

export type FieldProps = FieldFrame & { readonly name: string; readonly initial?: string };

export function Field({ name, initial, ...frame }: FieldProps) {
  return (
    <Framed
      {...frame}
      control={(props) => (
        <input
          {...props}
          name={name}
          defaultValue={initial}
          autoComplete="off"
          spellCheck={false}
        />
      )}
    />
  );
}

export type TextFieldProps = FieldFrame & {
  readonly value: string;
  readonly onChange: (text: string) => void;
  /** Lines that are seen at once; 1 is an input. */
  readonly rows?: number;
};

/** As `Field`, for a value that the page follows while it is typed. */
export function TextField({ value, onChange, rows = 1, ...frame }: TextFieldProps) {
  return (
    <Framed
      {...frame}
      control={(props) => {
        const shared = {
          ...props,
          value,
          autoComplete: 'off',
          spellCheck: false,
          onChange: (event: { readonly target: { readonly value: string } }) =>
            onChange(event.target.value),
        };
        if (rows <= 1) return <input {...shared} />;
        return <textarea {...shared} rows={rows} className={`${props.className} mono`} />;
      }}
    />
  );
}
