// The models of one backend with what the engine tells of each, and what can be done with it.

import { useState } from 'react';
import { useRefusal } from '../api/use-refusal.ts';
import type { BackendExplainWire, BackendViewWire, ModelDetailWire } from '../api/wire.ts';
import { Button } from '../components/button.tsx';
import { type Column, DataTable } from '../components/data-table.tsx';
import { EmptyNote } from '../components/empty-note.tsx';
import { StatusMark } from '../components/status-mark.tsx';
import { narrowQuery, useMedia } from '../components/use-media.ts';
import { formatCount, formatGib, noData } from '../format/numbers.ts';
import styles from './backend-pane.module.css';
import { type CellState, cellMarks } from './model-matrix.ts';
import { OperationDialog } from './operation-dialog.tsx';
import { kindWords, type OperationKind } from './operation-form.ts';
import pageStyles from './page.module.css';

type Model = ModelDetailWire;
type Ask = (kind: OperationKind, modelId: string) => void;

function stateOf({ closed, loaded }: Model): CellState {
  if (closed !== null) return closed;
  if (loaded === null) return 'offered';
  return loaded ? 'loaded' : 'available';
}

function capabilities(model: Model): string {
  const words = [
    model.kind === 'embeddings' ? 'embeddings' : undefined,
    model.supports_tools ? 'tools' : undefined,
    model.supports_vision ? 'vision' : undefined,
    model.supports_json_mode ? 'JSON' : undefined,
  ].filter((word) => word !== undefined);
  return words.length === 0 ? noData : words.join(', ');
}

/** Only what makes sense in the state that it is in. */
function kindsFor(state: CellState): readonly OperationKind[] {
  switch (state) {
    case 'available':
      return ['load', 'migrate'];
    case 'loaded':
    case 'offered':
      return ['unload', 'migrate'];
    case 'loading':
    case 'unloading':
      return [];
  }
}

function Acts({ model, ask }: { readonly model: Model; readonly ask: Ask }) {
  const refusal = useRefusal('models:operate');
  return (
    <span className={styles.actions}>
      {kindsFor(stateOf(model)).map((kind) => (
        <Button
          key={kind}
          kind="quiet"
          refusal={refusal}
          aria-label={`${kindWords[kind]} ${model.id}…`}
          onClick={() => ask(kind, model.id)}
        >
          {kindWords[kind]}…
        </Button>
      ))}
    </span>
  );
}

function Id({ model }: { readonly model: Model }) {
  return (
    <span className={`${pageStyles.reason} mono`} title={model.id}>
      {model.id}
    </span>
  );
}

function holderWords({ only_holder: only }: Model): string {
  return only ? 'nowhere else' : 'elsewhere too';
}

function wideColumns(ask: Ask): readonly Column<Model>[] {
  return [
    { key: 'id', title: 'Model', cell: (model) => <Id model={model} /> },
    {
      key: 'state',
      title: 'State',
      cell: (model) => <StatusMark {...cellMarks[stateOf(model)]} />,
    },
    {
      key: 'context',
      title: 'Context, tokens',
      numeric: true,
      cell: (model) => formatCount(model.context_length),
    },
    { key: 'can', title: 'Can', cell: capabilities },
    { key: 'quantization', title: 'Weights', cell: (model) => model.quantization ?? noData },
    { key: 'size', title: 'Size', numeric: true, cell: (model) => formatGib(model.size_bytes) },
    {
      key: 'vram',
      title: 'GPU memory',
      numeric: true,
      cell: (model) => formatGib(model.vram_bytes),
    },
    { key: 'holder', title: 'Held', cell: holderWords },
    { key: 'acts', title: 'Actions', cell: (model) => <Acts model={model} ask={ask} /> },
  ];
}

function narrowColumns(ask: Ask): readonly Column<Model>[] {
  return [
    {
      key: 'id',
      title: 'Model',
      cell: (model) => (
        <span className={pageStyles.card}>
          <Id model={model} />
          <StatusMark {...cellMarks[stateOf(model)]} />
          <span className="muted">
            {`${formatCount(model.context_length)} tokens, ${formatGib(model.size_bytes)}, ${holderWords(model)}`}
          </span>
        </span>
      ),
    },
    { key: 'acts', title: 'Actions', cell: (model) => <Acts model={model} ask={ask} /> },
  ];
}

export type BackendModelsProps = {
  readonly explained: BackendExplainWire;
  readonly fleet: readonly BackendViewWire[];
};

export function BackendModels({ explained: { backend, models }, fleet }: BackendModelsProps) {
  const isNarrow = useMedia(narrowQuery);
  const [asked, setAsked] = useState<{ readonly kind: OperationKind; readonly modelId: string }>();
  const ask: Ask = (kind, modelId) => setAsked({ kind, modelId });
  if (models.length === 0) {
    return (
      <EmptyNote words="It offers no model. A model appears here as soon as a probe finds it." />
    );
  }
  return (
    <>
      <DataTable
        caption={`Models of ${backend.name}`}
        columns={isNarrow ? narrowColumns(ask) : wideColumns(ask)}
        rows={models}
        rowKey={(model) => model.id}
        rowHeightPx={isNarrow ? 72 : 40}
        fillsWindow={models.length > 20}
      />
      {asked === undefined ? null : (
        <OperationDialog
          {...asked}
          backend={backend}
          fleet={fleet}
          onClose={() => setAsked(undefined)}
        />
      )}
    </>
  );
}
