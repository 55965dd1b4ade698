// What is done beside answering one request: the copy that is sent of it afterwards, and its answer kept
// for when no backend is left. Most requests have nothing of it, and no such object.

import { ruleOf } from '../../core/routing/model-rule.ts';
import type { RoutingSettings } from '../../core/routing/snapshot.ts';
import type { ErrorCode } from '../../errors/catalogue.ts';
import type { RequestFeatures } from '../../protocol/openai/request-body.ts';
import type { Admitted, AdmittedHead } from './admission.ts';
import { degradedText, type KeptAnswer, questionKey } from './answer-cache.ts';
import type { GatewayContext } from './context.ts';
import type { PrimaryEnd, ShadowTicket } from './shadow-ticket.ts';

/** Refusals that say that no backend is left; limits, budgets and rules say something else. */
const nobodyLeft: ReadonlySet<ErrorCode> = new Set([
  'no_healthy_backend',
  'fallback_exhausted',
  'models_loading',
  'bad_gateway',
  'gateway_timeout',
]);

/** A request whose body is admitted. */
type AdmittedRequest = {
  readonly head: AdmittedHead;
  readonly settings: RoutingSettings;
  readonly admitted: Admitted;
  readonly features: RequestFeatures;
  /** In OpenAI's words. */
  readonly body: Buffer;
  /** Are records of it written? */
  readonly isKept: boolean;
};

export class RequestBeside {
  readonly #context: GatewayContext;
  readonly #settings: RoutingSettings;
  readonly #ticket: ShadowTicket | undefined;
  /** Names its question, where its answer may be kept. */
  readonly #key: string | undefined;

  private constructor(
    context: GatewayContext,
    settings: RoutingSettings,
    ticket: ShadowTicket | undefined,
    key: string | undefined,
  ) {
    this.#context = context;
    this.#settings = settings;
    this.#ticket = ticket;
    this.#key = key;
  }

  /** Undefined where nothing is to be done; not to be asked where neither is configured. */
  static of(context: GatewayContext, request: AdmittedRequest): RequestBeside | undefined {
    const ticket = ticketOf(context, request);
    const key = keyOf(request);
    if (ticket === undefined && key === undefined) return undefined;
    return new RequestBeside(context, request.settings, ticket, key);
  }

  /** Whole events that went to the client, in OpenAI's words. */
  events(bytes: Buffer): void {
    this.#ticket?.answer.events(bytes);
  }

  /** The answer goes out in pieces, too long to be held. */
  tooLong(): void {
    this.#ticket?.answer.tooLong();
  }

  /** The whole answer went to the client, in OpenAI's words, a character a byte. */
  answered(status: number, contentType: string, text: string): void {
    this.#ticket?.answer.whole(text);
    if (this.#key === undefined || status !== 200) return;
    const { cacheMb } = this.#settings.degradation;
    const nowMs = this.#context.monotonicMs();
    this.#context.answers.keep(this.#key, { contentType, text }, nowMs, cacheMb * 1_000_000);
  }

  /** An answer of before in the place of this refusal, marked, with its age in ms. */
  olderAnswer(
    code: ErrorCode,
  ): { readonly answer: KeptAnswer; readonly ageMs: number } | undefined {
    if (this.#key === undefined || !nobodyLeft.has(code)) return undefined;
    const ageMsMax = this.#settings.degradation.maxAgeSeconds * 1000;
    const found = this.#context.answers.find(this.#key, this.#context.monotonicMs(), ageMsMax);
    if (found === undefined) return undefined;
    const { contentType, text } = found.answer;
    return { answer: { contentType, text: degradedText(text) }, ageMs: found.ageMs };
  }

  /** It is over, to be told once; `end` where the client got a whole answer of a backend. */
  ended(end: PrimaryEnd | undefined): void {
    if (this.#ticket !== undefined) this.#context.shadows.ended(this.#ticket, end);
  }
}

function ticketOf(
  context: GatewayContext,
  { head, settings, admitted, features, body, isKept }: AdmittedRequest,
): ShadowTicket | undefined {
  if (settings.shadows.length === 0 || !head.hints.mayShadow) return undefined;
  const { requestId, enginePath, key } = head;
  const { route } = admitted;
  const of = { requestId, groupName: key.groupName, enginePath, route, features, body, isKept };
  return context.shadows.ticket(of, settings.shadows);
}

/** Only of answers that come in one piece, in OpenAI's own words, and that may leave the backend's zone. */
function keyOf({ head, settings, admitted, features, body }: AdmittedRequest): string | undefined {
  const { enabled, restricted } = settings.degradation;
  if (!enabled || features.stream || head.face !== undefined) return undefined;
  const { resolvedModel: model, restrictedOnly } = admitted.route;
  const isRestricted = restrictedOnly || ruleOf(settings.policies, model)?.privacy === 'restricted';
  if (isRestricted && !restricted) return undefined;
  return questionKey({ groupName: head.key.groupName, kind: features.kind, model, body });
}
