// Routes of the edge itself: health, metrics, overview, services, documents.

import { z } from 'zod';
import { TensorForgeError } from '../../errors/tensorforge-error.ts';
import {
  type ControlRoute,
  json,
  needs,
  publicRoute,
  type RouteNeeds,
} from '../../io/http/control-route.ts';
import {
  type DecisionWire,
  gatewayHealthSchema,
  historySchema,
  type OverviewWire,
  overviewSchema,
  serviceHealthSchema,
  serviceListSchema,
  statsSchema,
} from '../../protocol/control/schemas.ts';
import { docsPage } from './docs-page.ts';
import type { ServiceBoard } from './service-board.ts';
import { pageHeaders } from './static-files.ts';
import type { Traffic } from './traffic.ts';

export type GatewayRoutesOptions = {
  readonly board: ServiceBoard;
  readonly traffic: Traffic;
  readonly backends: () => {
    readonly total: number;
    readonly healthy: number;
    readonly models: number;
  };
  readonly overview: () => OverviewWire;
  readonly stats: () => unknown;
  /** The newest requests with their decisions, newest first. */
  readonly newestDecisions: (limit: number) => Promise<readonly DecisionWire[]>;
  /** Has the gateway threads report first. */
  readonly flush: () => Promise<void>;
  /** Metrics of the process and the fleet, Prometheus text. */
  readonly processMetrics: () => Promise<string>;
  /** `/metrics` and `/api/docs` for everybody rather than loopback and credentials. */
  readonly isMetricsPublic: boolean;
  /** Can control be reached and is the database there? */
  readonly isDatabaseThere: () => Promise<boolean>;
  readonly isStopping: () => boolean;
  /** The OpenAPI document. */
  readonly openapi: () => unknown;
};

export function gatewayRoutes(options: GatewayRoutesOptions): ControlRoute[] {
  const { board, traffic } = options;
  const common = { service: 'gateway', method: 'GET' } as const;
  const operations: RouteNeeds = options.isMetricsPublic
    ? publicRoute
    : { kind: 'loopback_or', permission: 'telemetry:read' };
  const ready = () => {
    if (options.isStopping())
      throw new TensorForgeError('shutting_down', 'The process is stopping.');
    if (!board.isReady) throw new TensorForgeError('starting', 'The process is starting.');
    return json({ status: 'ready' });
  };
  return [
    {
      ...common,
      path: '/health',
      needs: publicRoute,
      summary: 'Health of the gateway, its backends and all services',
      answer: gatewayHealthSchema,
      handle: () => json(board.gateway(options.backends())),
    },
    {
      ...common,
      path: '/health/live',
      needs: publicRoute,
      summary: 'The process answers',
      answer: z.object({ status: z.string() }),
      handle: () => json({ status: 'live' }),
    },
    {
      ...common,
      path: '/health/ready',
      needs: publicRoute,
      summary: 'The process takes requests; 503 while it starts or stops',
      answer: z.object({ status: z.string() }),
      handle: ready,
    },
    {
      ...common,
      path: '/api/:service/health',
      needs: publicRoute,
      summary: 'Health of one service',
      answer: serviceHealthSchema,
      handle: (call) => {
        const id = call.params['service'] ?? '';
        const health = board.health(id);
        if (health === undefined)
          throw new TensorForgeError('not_found', `There is no service ${id.slice(0, 100)}.`);
        return json(health, health.state === 'stopped' ? 503 : 200);
      },
    },
    {
      ...common,
      path: '/api/v1/health',
      needs: publicRoute,
      summary: 'The control API and its database answer',
      answer: z.object({ status: z.string() }),
      handle: async () => {
        if (await options.isDatabaseThere()) return json({ status: 'ok' });
        throw new TensorForgeError('retry', 'The database does not answer.');
      },
    },
    {
      ...common,
      path: '/metrics',
      needs: operations,
      summary: 'Metrics in the Prometheus text format',
      answerType: 'text/plain',
      handle: async () => {
        await options.flush();
        return {
          status: 200,
          contentType: 'text/plain; version=0.0.4; charset=utf-8',
          body: (await options.processMetrics()) + traffic.metricsText(),
        };
      },
    },
    {
      ...common,
      path: '/api/docs',
      needs: operations,
      summary: 'This API for people',
      answerType: 'text/html',
      handle: () => ({
        status: 200,
        contentType: 'text/html; charset=utf-8',
        headers: pageHeaders,
        body: docsPage(options.openapi()),
      }),
    },
    {
      ...common,
      path: '/api/docs/openapi.json',
      needs: operations,
      summary: 'This API as OpenAPI 3.1',
      answer: z.looseObject({ openapi: z.string(), paths: z.record(z.string(), z.unknown()) }),
      handle: () => json(options.openapi()),
    },
    {
      ...common,
      path: '/api/v1/overview',
      needs: needs('telemetry:read'),
      summary: 'Verdict, what wants a person, and the series of the last five minutes',
      answer: overviewSchema,
      handle: () => json(options.overview()),
    },
    {
      ...common,
      path: '/api/v1/services',
      needs: needs('telemetry:read'),
      summary: 'The thirteen services',
      answer: serviceListSchema,
      handle: () => {
        const services = board.list();
        return json({ count: services.length, services });
      },
    },
    {
      ...common,
      path: '/v1/stats',
      needs: needs('telemetry:read'),
      summary: 'Totals since the start and figures per backend',
      answer: statsSchema,
      handle: async () => {
        await options.flush();
        return json(options.stats());
      },
    },
    {
      ...common,
      path: '/v1/history',
      needs: needs('telemetry:read'),
      summary: 'The newest 100 requests',
      answer: historySchema,
      handle: async () => {
        return json({ object: 'list', data: await options.newestDecisions(100) });
      },
    },
  ];
}
