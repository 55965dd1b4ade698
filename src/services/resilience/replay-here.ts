// A replay of a folder from its first block to its report, in this thread. What a worker runs beside
// a server, and the command line without one.

import type { ReplayReportWire } from '../../protocol/control/trust-schemas.ts';
import { FolderSource } from './folder-source.ts';
import { redeciders } from './redeciders.ts';
import { FolderReplay } from './replay-folder.ts';
import { replayReport } from './replay-report.ts';
import type { ReplayTask } from './replays.ts';

const reportEveryMs = 250;

/** Runs to the end without waiting; `onProgress` is called at most four times a second. */
export function replayFolder(
  { id, folder, options }: ReplayTask,
  onProgress: (report: ReplayReportWire) => void,
): ReplayReportWire {
  const source = new FolderSource(folder);
  const replay = new FolderReplay(source, redeciders(source), options);
  const beganMs = performance.now();
  let toldMs = beganMs;
  const report = (state: 'running' | 'done'): ReplayReportWire => {
    const seconds = Math.round(performance.now() - beganMs) / 1000;
    return replayReport(replay, { id, state, seconds, bundle: options.bundle });
  };
  for (const _ of replay.steps()) {
    if (performance.now() - toldMs < reportEveryMs) continue;
    toldMs = performance.now();
    onProgress(report('running'));
  }
  return report('done');
}
