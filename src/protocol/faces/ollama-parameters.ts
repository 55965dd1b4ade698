// What becomes of every parameter of Ollama's API.
//   https://docs.ollama.com/api
//   https://docs.ollama.com/modelfile (the options of a request)

import { engine, type FaceTable, only, passed, to } from './face-parameters.ts';

const thoughts = to('whether thoughts are given back, and reasoning_effort');
const cutting = passed('an engine refuses what is too long, where Ollama would cut it');

const common: FaceTable = {
  model: to('model'),
  stream: to('stream, with usage'),
  format: to('response_format'),
  options: to('parameters of the request'),
  think: thoughts,
  keep_alive: engine,
  logprobs: only(false),
  top_logprobs: only(0),
  truncate: cutting,
  shift: cutting,
};

export const chatParameters: FaceTable = {
  ...common,
  messages: to('messages'),
  tools: to('tools, in their own characters'),
};

export const generateParameters: FaceTable = {
  ...common,
  prompt: to('the last message of the user'),
  system: to('a first message of the role system'),
  images: to('image_url'),
  suffix: only(''),
  template: only(''),
  context: only([]),
  raw: only(false),
  width: only(),
  height: only(),
  steps: only(),
};

export const embedParameters: FaceTable = {
  model: to('model'),
  input: to('input'),
  dimensions: to('dimensions'),
  options: to('nothing: what is no control of the engine has no meaning for embeddings'),
  keep_alive: engine,
  truncate: cutting,
};

export const embeddingsParameters: FaceTable = {
  model: to('model'),
  prompt: to('input'),
  options: embedParameters['options'] ?? engine,
  keep_alive: engine,
};

const runner: FaceTable = {
  numa: engine,
  num_batch: engine,
  num_gpu: engine,
  main_gpu: engine,
  low_vram: engine,
  f16_kv: engine,
  logits_all: engine,
  vocab_only: engine,
  use_mmap: engine,
  use_mlock: engine,
  embedding_only: engine,
  num_thread: engine,
  num_keep: engine,
};

const context = to('nothing: it may not be more than what the backends of the model have');

export const optionMembers: FaceTable = {
  ...runner,
  num_ctx: context,
  num_predict: to('max_tokens; negative is no limit'),
  seed: to('seed'),
  temperature: to('temperature'),
  top_k: to('top_k'),
  top_p: to('top_p'),
  min_p: to('min_p'),
  stop: to('stop'),
  presence_penalty: to('presence_penalty'),
  frequency_penalty: to('frequency_penalty'),
  repeat_penalty: only(1),
  repeat_last_n: passed('it means nothing without repeat_penalty'),
  tfs_z: only(1),
  typical_p: only(1),
  mirostat: only(0),
  mirostat_tau: passed('it means nothing without mirostat'),
  mirostat_eta: passed('it means nothing without mirostat'),
  penalize_newline: only(),
};

const sampling = passed('embeddings are not sampled');

/** Embeddings take the same options, of which only the context means anything. */
export const embedOptionMembers: FaceTable = {
  ...Object.fromEntries(Object.keys(optionMembers).map((name) => [name, sampling])),
  ...runner,
  num_ctx: context,
};

export const messageMembers: FaceTable = {
  role: to('role'),
  content: to('content'),
  images: to('image_url'),
  tool_calls: to('tool_calls, the arguments in their own characters'),
  tool_call_id: to('tool_call_id'),
  tool_name: to('tool_call_id of the call of that tool'),
  thinking: passed('what a model thought is no part of the conversation'),
};

export const callMembers: FaceTable = {
  id: to('tool_calls.id'),
  type: only('function'),
  function: to('tool_calls.function'),
};

export const callFunctionMembers: FaceTable = {
  index: passed('calls keep their order'),
  name: to('tool_calls.function.name'),
  description: passed('the tools describe it'),
  arguments: to('tool_calls.function.arguments'),
};
