// exo: a cluster behind the OpenAI protocol (github.com/exo-explore/exo src/exo/master/api.py). Its
// list is a catalogue; which models have an instance, `/state` tells.

import { servedModel } from './openai-common.ts';
import { get } from './routing.ts';
import { hasQuirk, type Route, type Simulation } from './simulation.ts';

const nodeId = 'node-1';

export function exoRoutes(simulation: Simulation): readonly Route[] {
  const routes = [get('/node_id', (exchange) => exchange.json(nodeId))];
  if (hasQuirk(simulation, 'exo-no-state')) return routes;
  return [...routes, get('/state', (exchange) => exchange.json(clusterState(simulation)))];
}

function clusterState(simulation: Simulation): unknown {
  const running = simulation.models.names.filter((name) => servedModel(simulation, name) === name);
  const vram = simulation.models.vramTotalBytes;
  return {
    instances: Object.fromEntries(
      running.map((model, i) => [`instance-${i + 1}`, instanceOf(model, i)]),
    ),
    runners: Object.fromEntries(running.map((_, i) => [runnerId(i), { RunnerReady: {} }])),
    downloads: { [nodeId]: [] },
    tasks: {},
    topology: { nodes: [nodeId], connections: {} },
    nodeIdentities: { [nodeId]: { friendlyName: simulation.options.name } },
    nodeMemory: { [nodeId]: { ramTotal: { inBytes: vram }, ramAvailable: { inBytes: vram } } },
    lastEventAppliedIdx: 1,
  };
}

function runnerId(index: number): string {
  return `runner-${index + 1}`;
}

function instanceOf(model: string, index: number): unknown {
  const runner = runnerId(index);
  return {
    MlxRingInstance: {
      instanceId: `instance-${index + 1}`,
      shardAssignments: {
        modelId: model,
        runnerToShard: { [runner]: { PipelineShardMetadata: { startLayer: 0, endLayer: 32 } } },
        nodeToRunner: { [nodeId]: runner },
      },
    },
  };
}
