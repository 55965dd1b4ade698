// Multicast DNS on the wire (RFC 6762): packets in and out, nothing of their meaning. One socket for
// each named interface; without names one for all, which listens everywhere and asks where the system's
// default route leads.
//
// UDP 5353 is shared with the system's own responder, so a socket that cannot be had is ordinary (in
// containers above all): it is told once, and nothing more is heard or said.
//
// Answers count only when they were sent from the multicast port itself (RFC 6762, 6): an unprivileged
// program elsewhere, or a forwarded packet, does not have it.

import createMdns, { type MulticastDNS } from 'multicast-dns';

export const mdnsPort = 5353;
const everyAddress = '0.0.0.0';

export type MdnsQuestion = {
  readonly name: string;
  readonly type: 'PTR' | 'SRV' | 'TXT' | 'A' | 'AAAA';
};

/** A record to be sent. `flush`: it replaces all others of its name and type. */
export type MdnsAnswer = {
  readonly name: string;
  readonly ttl: number;
  readonly flush?: boolean;
} & (
  | { readonly type: 'PTR' | 'A' | 'AAAA'; readonly data: string }
  | { readonly type: 'SRV'; readonly data: { readonly target: string; readonly port: number } }
  | { readonly type: 'TXT'; readonly data: readonly string[] }
);

/** A packet as it was decoded; what its records hold is nobody's promise. */
export type MdnsMessage = {
  readonly kind: 'query' | 'response';
  readonly questions: readonly unknown[];
  /** Answers and additional records, in this order. */
  readonly records: readonly unknown[];
  /** IP address of the sender. */
  readonly source: string;
};

export interface MdnsSocket {
  query(questions: readonly MdnsQuestion[]): void;
  respond(answers: readonly MdnsAnswer[]): void;
  /** Resolves when what was given to be sent before has been handed over and all is closed. */
  close(): Promise<void>;
}

export type MdnsSocketOptions = {
  /** IPv4 addresses of this machine; none for all interfaces. */
  readonly interfaces: readonly string[];
  readonly onMessage: (message: MdnsMessage) => void;
  /** Heard at most once: nothing can be received. */
  readonly onUnavailable: (words: string) => void;
  /** Default 5353; another one is heard by nobody but those who use it too. */
  readonly port?: number;
};

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
}

export function openMdnsSocket(options: MdnsSocketOptions): MdnsSocket {
  const { onMessage, port = mdnsPort } = options;
  const interfaces = options.interfaces.length === 0 ? [undefined] : options.interfaces;
  let isOpen = true;
  let isTold = false;
  const unavailable = (error: unknown): void => {
    if (isTold || !isOpen) return;
    isTold = true;
    options.onUnavailable(`UDP ${port} cannot be used (${codeOf(error)})`);
  };
  const sockets = interfaces.map((address) => {
    const mdns = createMdns({
      port,
      // Bound to an interface's own address, a socket hears no multicast on Linux.
      bind: everyAddress,
      ...(address === undefined ? {} : { interface: address }),
    });
    mdns.on('error', unavailable);
    // Packets that cannot be decoded, and interfaces that cannot be joined at the moment.
    mdns.on('warning', () => undefined);
    const hear = (kind: MdnsMessage['kind'], packet: object, from: { address: string }): void => {
      if (!isOpen) return;
      const [questions, answers, additionals] = ['questions', 'answers', 'additionals'].map(
        (name) => listOf(Reflect.get(packet, name)),
      );
      onMessage({
        kind,
        questions: questions ?? [],
        records: [...(answers ?? []), ...(additionals ?? [])],
        source: from.address,
      });
    };
    mdns.on('query', (packet, from) => hear('query', packet, from));
    mdns.on('response', (packet, from) => {
      if (from.port === port) hear('response', packet, from);
    });
    return mdns;
  });
  const sending = new Set<Promise<void>>();
  const send = (act: (mdns: MulticastDNS, done: () => void) => void): void => {
    if (!isOpen || isTold) return;
    for (const mdns of sockets) {
      // A network that is away for the moment: what was to be said is said again later.
      const sent: Promise<void> = new Promise<void>((resolve) => act(mdns, resolve)).finally(() =>
        sending.delete(sent),
      );
      sending.add(sent);
    }
  };
  return {
    query: (questions) =>
      send((mdns, done) =>
        mdns.query(
          questions.map((question) => ({ ...question })),
          done,
        ),
      ),
    respond: (answers) =>
      send((mdns, done) => mdns.respond({ answers: answers.map(sendable) }, done)),
    async close() {
      await Promise.all(sending);
      isOpen = false;
      await Promise.all(sockets.map((mdns) => new Promise<void>((end) => mdns.destroy(end))));
    },
  };
}

function sendable(answer: MdnsAnswer) {
  const { name, ttl, flush = false } = answer;
  const common = { name, ttl, flush };
  switch (answer.type) {
    case 'TXT':
      return { ...common, type: answer.type, data: [...answer.data] };
    case 'SRV':
      return { ...common, type: answer.type, data: { ...answer.data } };
    default:
      return { ...common, type: answer.type, data: answer.data };
  }
}
