// Copying, and commands that can be copied. Where the browser forbids the clipboard, the text is
// selected instead, so that the usual key finishes the job.

import { useRef, useState } from 'react';
import { Button } from './button.tsx';
import styles from './copy.module.css';

type CopyState = 'ready' | 'copied' | 'selected';

const stateWords: Readonly<Record<CopyState, string>> = {
  ready: '',
  copied: 'Copied',
  selected: 'Selected: press Ctrl-C',
};

function select(element: HTMLElement | null): void {
  const selection = getSelection();
  if (element === null || selection === null) return;
  selection.selectAllChildren(element);
}

async function copyText(text: string, fallback: HTMLElement | null): Promise<CopyState> {
  try {
    await navigator.clipboard.writeText(text);
    return 'copied';
  } catch {
    select(fallback);
    return 'selected';
  }
}

/** A command or a secret in full, with its copy button. */
export function CopyLine({ text, label }: { readonly text: string; readonly label: string }) {
  const [state, setState] = useState<CopyState>('ready');
  const codeRef = useRef<HTMLElement>(null);
  return (
    <span className={styles.line}>
      <code ref={codeRef} className={styles.text}>
        {text}
      </code>
      <Button
        aria-label={label}
        onClick={() => void copyText(text, codeRef.current).then(setState)}
      >
        {state === 'copied' ? 'Copied' : 'Copy'}
      </Button>
      <span role="status" className="hidden-text">
        {stateWords[state]}
      </span>
    </span>
  );
}

/** “Copy as command”: the same action for a terminal. */
export function CopyCommand({ command }: { readonly command: string }) {
  const [state, setState] = useState<CopyState>('ready');
  const codeRef = useRef<HTMLElement>(null);
  return (
    <>
      <Button
        kind="quiet"
        title={command}
        onClick={() => void copyText(command, codeRef.current).then(setState)}
      >
        {state === 'copied' ? 'Copied' : 'Copy as command'}
      </Button>
      <code ref={codeRef} className={state === 'selected' ? styles.text : styles.away}>
        {command}
      </code>
      <span role="status" className="hidden-text">
        {stateWords[state]}
      </span>
    </>
  );
}
