// While nothing can take a request: the two commands that change it, and the first request to send.

import { Link } from '@tanstack/react-router';
import { CopyLine } from '../components/copy.tsx';
import { plural } from '../format/numbers.ts';
import styles from './overview-page.module.css';

function firstRequest(): string {
  return (
    `curl ${location.origin}/v1/chat/completions -H "Authorization: Bearer $TENSORFORGE_KEY" ` +
    `-d '{"model":"MODEL","messages":[{"role":"user","content":"hi"}]}'`
  );
}

export function FirstRun({ total }: { readonly total: number }) {
  return (
    <section className={styles.welcome} aria-label="First steps">
      <h2>{total === 0 ? 'No backend yet' : `${plural(total, 'backend')}, none takes requests`}</h2>
      {total === 0 ? null : (
        <p>
          <Link to="/fleet">Fleet says of each why it takes none.</Link>
        </p>
      )}
      <ol>
        <li>
          Add an inference server that runs already (vLLM, llama.cpp, Ollama, LM Studio or any other
          that speaks the OpenAI API):
          <CopyLine
            text="tensorforge backends add http://127.0.0.1:11434"
            label="Copy the command that adds a backend"
          />
        </li>
        <li>
          Or try without one, on a simulated engine, then add the address that it prints:
          <CopyLine
            text="tensorforge sim"
            label="Copy the command that starts a simulated engine"
          />
        </li>
        <li>
          Then send the first request; it appears under Requests with its reasons:
          <CopyLine text={firstRequest()} label="Copy the first request" />
        </li>
      </ol>
    </section>
  );
}
