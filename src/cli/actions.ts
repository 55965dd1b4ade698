// What the command line starts but does not contain. The services are above this layer, so `main`
// hands them in: the command line parses and prints, an action runs until it ends.

import type { Secret } from '../base/secret.ts';
import type { FlagValues } from '../config/load.ts';
import type { ReplayReportWire } from '../protocol/control/trust-schemas.ts';
import type { SimFace, SimQuirk } from '../protocol/sim/faces.ts';
import type { SimFault } from '../protocol/sim/schemas.ts';
import type { SimulationReport } from '../protocol/simulation/report.ts';
import type { SimulateRequest } from '../protocol/simulation/request.ts';

/** How a command talks to whoever started it. */
export type OutputStyle = {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly color: boolean;
};

export type UpRequest = {
  /** Absolute. */
  readonly dataDirectory: string;
  /** Absolute; undefined runs without a file. Read it with `readConfiguration`, again on reload. */
  readonly configurationFile: string | undefined;
  /** Flags by option path; they hold over a reload as well. */
  readonly flags: FlagValues;
  readonly output: OutputStyle;
};

export const simProfiles = ['a100-7b', 'h100-7b', 'a100-70b'] as const;

export type SimRequest = {
  readonly as: SimFace;
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** At least one. */
  readonly models: readonly string[];
  readonly profile: (typeof simProfiles)[number];
  /** Model time over real time, above 0. */
  readonly speed: number;
  /** Undefined: what the face has as its default. */
  readonly maxRunning: number | undefined;
  /** Model time that a load takes, ms. Undefined: by the size of the model. */
  readonly loadMs: number | undefined;
  /** GPU memory, 10^9 bytes. Undefined: what the GPUs of the profile have. */
  readonly vramGb: number | undefined;
  readonly quirks: readonly SimQuirk[];
  readonly seed: number;
  readonly apiKey: Secret | undefined;
  readonly faults: readonly SimFault[];
  readonly name: string | undefined;
  readonly output: OutputStyle;
};

export type DemoRequest = {
  /** Absolute path of a trace; undefined plays the generated load. */
  readonly trace: string | undefined;
  /** Play the whole trace instead of its first seconds. */
  readonly all: boolean;
  /** Stay up at the end until signalled. */
  readonly keep: boolean;
  readonly seed: number;
  /** How long load arrives. */
  readonly seconds: number;
  readonly output: OutputStyle;
};

/** Those that answer with a number resolve with the exit code when their work is over; all throw what stops them. */
export type Actions = {
  up(request: UpRequest): Promise<number>;
  serve(target: 'all', request: UpRequest): Promise<number>;
  sim(request: SimRequest): Promise<number>;
  demo(request: DemoRequest): Promise<number>;
  /** Plays a trace against a fleet on virtual time. */
  simulate(request: SimulateRequest): Promise<SimulationReport>;
  /** Replays a folder of segments in this process; throws what the control API would refuse. */
  replayFolder(request: ReplayFolderRequest): Promise<ReplayReportWire>;
};

/** What is replayed: the body of POST /api/v1/replays. */
export type ReplayAsked = {
  readonly from?: string;
  readonly to?: string;
  readonly request_id?: string;
  readonly policy?: Record<string, unknown>;
};

export type ReplayFolderRequest = {
  /** Absolute path of a folder of segments. */
  readonly folder: string;
  readonly asked: ReplayAsked;
  readonly onProgress: (report: ReplayReportWire) => void;
};

/** Who owns a data directory. */
export type LockHolder = {
  readonly pid: number;
  /** RFC 3339 UTC. */
  readonly started_at: string;
  /** `url` is where it listens. */
  readonly facts: Readonly<Record<string, string | number | boolean>>;
  readonly alive: boolean;
};

/** What the command line asks of this machine beyond files and sockets. */
export type Machine = {
  readLock(dataDirectory: string): Promise<LockHolder | undefined>;
  /** Why a start would refuse this directory, after its path; undefined when it would not. */
  dataDirectoryProblem(path: string): Promise<string | undefined>;
  /**
   * One sentence about a database that works; throws what does not. Undefined: the embedded one, with
   * what this data directory holds of it.
   */
  checkDatabase(url: Secret | undefined, dataDirectory: string): Promise<string>;
};
