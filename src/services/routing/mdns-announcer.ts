// This gateway, announced on the local network as one `_llm._tcp` service, so that whoever browses for
// engines finds it. It tells where it listens and nothing else: no version, no models (security 2.10).
//
// A machine like the browser: queries and the time go in, answers to send come out.
//   A1  Two announcements one second apart at the start (RFC 6762, 8.3), then answers to questions only.
//   A2  At most one packet a second, so that questions cannot make us loud; a withheld answer follows.
//   A3  After `goodbye` nothing is said any more.
// The name carries host and port, which no other gateway of that machine has; it is not probed for.

const service = '_llm._tcp.local';
const allServices = '_services._dns-sd._udp.local';
const quietMs = 1000;
const announcementsAtStart = 2;
/** RFC 6762, 10: records that name a host live two minutes, the others 75. */
const hostTtlS = 120;
const otherTtlS = 4500;

export type AnnouncedAnswer = {
  readonly name: string;
  readonly ttl: number;
  readonly flush: boolean;
} & (
  | { readonly type: 'PTR' | 'A' | 'AAAA'; readonly data: string }
  | { readonly type: 'SRV'; readonly data: { readonly target: string; readonly port: number } }
  | { readonly type: 'TXT'; readonly data: readonly string[] }
);

export type MdnsAnnouncerOptions = {
  /** The name of this machine; what is no letter, digit or hyphen in its first label is left out. */
  readonly hostName: string;
  readonly port: number;
  /** Does it listen with TLS? Then `tls=1` stands among the texts. */
  readonly tls: boolean;
  /** IP addresses under which the gateway can be reached from the network, asked at each answer. */
  readonly addresses: () => readonly string[];
};

function labelOf(hostName: string): string {
  const [first = ''] = hostName.split('.');
  const label = first
    .toLowerCase()
    .replace(/[^a-z0-9-]/g, '')
    .slice(0, 40);
  return label === '' ? 'host' : label;
}

function textMember(value: unknown, name: string): string {
  const member: unknown =
    typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
  return typeof member === 'string' ? member.toLowerCase().replace(/\.$/, '') : '';
}

export class MdnsAnnouncer {
  readonly #options: MdnsAnnouncerOptions;
  readonly instance: string;
  readonly #host: string;
  #sendAt = Number.NEGATIVE_INFINITY;
  #left = announcementsAtStart;
  #lastAt = Number.NEGATIVE_INFINITY;
  #isOver = false;

  constructor(options: MdnsAnnouncerOptions) {
    this.#options = options;
    const name = `tensorforge-${labelOf(options.hostName)}-${options.port}`;
    this.instance = `${name}.${service}`;
    this.#host = `${name}.local`;
  }

  /** When {@link tick} has something to say. */
  get nextAt(): number {
    return this.#isOver ? Number.POSITIVE_INFINITY : this.#sendAt;
  }

  /** A question that concerns us is answered with everything, at the next {@link tick}. */
  receive(questions: readonly unknown[]): void {
    if (this.#isOver || !questions.some((question) => this.#concerns(question))) return;
    this.#sendAt = Math.min(this.#sendAt, this.#lastAt + quietMs);
  }

  /** What to send now; empty when there is nothing. */
  tick(nowMs: number): readonly AnnouncedAnswer[] {
    if (nowMs < this.nextAt) return [];
    this.#left = Math.max(0, this.#left - 1);
    this.#lastAt = nowMs;
    this.#sendAt = this.#left > 0 ? nowMs + quietMs : Number.POSITIVE_INFINITY;
    return this.#answers(1);
  }

  /** The last words; nothing if nothing was ever said. */
  goodbye(): readonly AnnouncedAnswer[] {
    const wasHeard = this.#lastAt !== Number.NEGATIVE_INFINITY && !this.#isOver;
    this.#isOver = true;
    return wasHeard ? this.#answers(0) : [];
  }

  #concerns(question: unknown): boolean {
    const name = textMember(question, 'name');
    const names = [service, allServices, this.instance.toLowerCase(), this.#host];
    return names.includes(name);
  }

  /** `life` 1 for the usual times, 0 for a goodbye. */
  #answers(life: 0 | 1): readonly AnnouncedAnswer[] {
    const addresses = this.#options.addresses();
    if (addresses.length === 0) return [];
    const { instance } = this;
    const target = this.#host;
    const hostTtl = hostTtlS * life;
    const ttl = otherTtlS * life;
    const { port, tls } = this.#options;
    const texts = ['type=generic', 'api_path=/v1', ...(tls ? ['tls=1'] : [])];
    return [
      { name: service, type: 'PTR', ttl, flush: false, data: instance },
      { name: allServices, type: 'PTR', ttl, flush: false, data: service },
      { name: instance, type: 'SRV', ttl: hostTtl, flush: true, data: { target, port } },
      { name: instance, type: 'TXT', ttl, flush: true, data: texts },
      ...addresses.map(
        (data): AnnouncedAnswer => ({
          name: target,
          type: data.includes(':') ? 'AAAA' : 'A',
          ttl: hostTtl,
          flush: true,
          data,
        }),
      ),
    ];
  }
}
