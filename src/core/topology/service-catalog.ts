// The thirteen services, their documented ports and what each needs. Eight have a port of their own;
// the other five run in process behind the gateway (specification CP A.6, B.1).

export type ServiceDefinition = {
  readonly id: string;
  /** Absent for a service that has no listener of its own. */
  readonly port: number | undefined;
  readonly healthPath: string;
  readonly version: string;
  readonly dependencies: readonly string[];
};

const version = '1.0.0';
const healthPath = '/health';

function networked(id: string, port: number, dependencies: readonly string[]): ServiceDefinition {
  return Object.freeze({
    id,
    port,
    healthPath,
    version,
    dependencies: Object.freeze(dependencies),
  });
}

function inProcess(id: string): ServiceDefinition {
  const dependencies = Object.freeze(['gateway']);
  return Object.freeze({ id, port: undefined, healthPath, version, dependencies });
}

const withPorts: readonly ServiceDefinition[] = Object.freeze([
  networked('gateway', 8120, []),
  networked('routing', 8121, ['gateway']),
  networked('policy', 8122, ['gateway']),
  networked('resilience', 8123, ['gateway']),
  networked('analytics', 8124, ['gateway', 'routing']),
  networked('audit', 8125, ['gateway']),
  networked('notifications', 8126, ['gateway', 'audit']),
  networked('security', 8127, ['gateway']),
]);

const all: readonly ServiceDefinition[] = Object.freeze([
  ...withPorts,
  inProcess('intake'),
  inProcess('identity'),
  inProcess('fulfillment'),
  inProcess('reporting'),
  inProcess('allocator'),
]);

/** The eight services with ports, in table order, gateway first. */
export function networkedServices(): readonly ServiceDefinition[] {
  return withPorts;
}

/** All thirteen. */
export function serviceCatalog(): readonly ServiceDefinition[] {
  return all;
}

/** `http://{id}:{port}{healthPath}`; undefined for an unknown service or one without a port. */
export function serviceUrl(id: string): string | undefined {
  const service = withPorts.find((candidate) => candidate.id === id);
  return service === undefined ? undefined : `http://${id}:${service.port}${service.healthPath}`;
}

/** Where the gateway shows the health of a service. */
export function proxiedHealthPath(id: string): string {
  return `/api/${id}/health`;
}
