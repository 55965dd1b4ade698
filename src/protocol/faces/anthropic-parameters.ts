// What becomes of every parameter of Anthropic's Messages API.
//   https://docs.anthropic.com/en/api/messages
//   https://docs.anthropic.com/en/api/messages-count-tokens

import { type FaceTable, only, passed, to } from './face-parameters.ts';

const cacheHint = passed('caching changes the price, never the answer');

export const messagesParameters: FaceTable = {
  model: to('model'),
  messages: to('messages'),
  max_tokens: to('max_tokens'),
  system: to('a first message of the role system'),
  stream: to('stream, with usage'),
  stop_sequences: to('stop'),
  temperature: to('temperature'),
  top_p: to('top_p'),
  top_k: to('top_k, which engines take beside OpenAI’s own'),
  metadata: to('user'),
  tools: to('tools'),
  tool_choice: to('tool_choice and parallel_tool_calls'),
  output_config: to('response_format and reasoning_effort'),
  output_format: to('response_format'),
  thinking: to(
    'thinking blocks of what the engine tells; the engine itself decides how much it thinks',
  ),
  context_management: to('nothing: clearing thoughts is what happens anyway, the rest is refused'),
  service_tier: passed('it says who pays for priority at Anthropic'),
  cache_control: cacheHint,
  speed: only('standard'),
  container: only(),
  diagnostics: only(),
  inference_geo: only(),
  mcp_servers: only([]),
  user_profile_id: only(),
  workspace_id: only(),
};

export const metadataMembers: FaceTable = { user_id: to('user') };

export const thinkingMembers: FaceTable = {
  type: to('whether thoughts are given back'),
  budget_tokens: passed('it bounds what the model decides by itself, max_tokens bounds all of it'),
  display: to('whether thoughts are given back'),
};

export const outputConfigMembers: FaceTable = {
  effort: to('reasoning_effort'),
  format: to('response_format'),
};

export const formatMembers: FaceTable = { type: only('json_schema'), schema: to('json_schema') };

export const textBlockMembers: FaceTable = {
  type: to('the kind of part'),
  text: to('text'),
  cache_control: cacheHint,
  citations: only([]),
};

export const imageBlockMembers: FaceTable = {
  type: to('the kind of part'),
  source: to('image_url'),
  cache_control: cacheHint,
  transformations: only(),
};

export const toolUseMembers: FaceTable = {
  type: to('the kind of part'),
  id: to('tool_calls.id'),
  name: to('tool_calls.function.name'),
  input: to('tool_calls.function.arguments, in its own characters'),
  cache_control: cacheHint,
  caller: only({ type: 'direct' }),
  toolset_name: only(),
};

export const toolResultMembers: FaceTable = {
  type: to('a message of the role tool'),
  tool_use_id: to('tool_call_id'),
  content: to('content'),
  is_error: to('the word Error before the content'),
  cache_control: cacheHint,
  toolset_name: only(),
};

export const toolMembers: FaceTable = {
  type: only('custom'),
  name: to('function.name'),
  description: to('function.description'),
  input_schema: to('function.parameters, in its own characters'),
  strict: to('function.strict'),
  cache_control: cacheHint,
  eager_input_streaming: passed('it changes when pieces come, not what they say'),
  defer_loading: only(false),
  allowed_callers: only(['direct']),
  input_examples: only([]),
};

export const toolChoiceMembers: FaceTable = {
  type: to('tool_choice'),
  name: to('tool_choice.function.name'),
  disable_parallel_tool_use: to('parallel_tool_calls'),
};
