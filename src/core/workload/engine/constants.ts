// The measured figures behind the simulated engine. Frozen: benchmarks are read against them, so
// a change here is a change of every simulated result and needs an entry in CHANGELOG.md.
//
// Source: microsoft/vidur `data/profiling/` (commit 7d47513, MIT), the `mlp` compute profiles of
// Llama-2-7b on A100 and H100 (1 GPU) and Llama-2-70b on A100 (tensor parallel over 4 GPUs), and
// the A100 DGX all-reduce profile (4 workers). Derived once, 2026-11-21, in these steps:
//
//  1. For each profiled number of tokens: the medians of the kernels input_layernorm,
//     attn_pre_proj, attn_rope, attn_post_proj, post_attention_layernorm, mlp_up_proj, mlp_act,
//     mlp_down_proj and add, summed, times the layers (32 or 80), plus `emb` once; the mean where
//     a number of tokens was profiled twice. For 70b also two all-reduces of
//     tokens x 8192 x 2 bytes a layer, linear between profiled sizes.
//  2. A non-decreasing fit (pool adjacent violators) over all 259 profiled numbers of tokens, and
//     over the all-reduce sizes before that, because single points are noisy and GEMM tiles make
//     some larger batches faster than smaller ones.
//  3. The fit read at 15 numbers of tokens, linear between them. Against the profile itself that
//     is off by 2-3 % in the median, 9-15 % at p95 and 27 % at worst (just above 128 tokens,
//     where a GEMM tile begins).
//
// Attention over the KV cache is in Vidur's `attention.csv`, which is not to be had. What stands
// in for it is computed, not measured:
//
//  - decode reads each KV token once at the bandwidth at which the same profile reads the layer
//    weights at 1 token (1.43, 2.35 and 1.38 TB/s a GPU);
//  - prefill attention does 4 x hidden x layers operations for each pair of a new token and a
//    token before it, at the rate the same profile reaches at 4096 tokens (204, 632 and
//    220 Tflop/s a GPU).
//
// Left out, so that real servers are slower: the output head, sampling, scheduling and Python.
//
// KV capacity: 0.9 of 80 GiB a GPU less the weights in 16 bits, over 2 x layers x KV heads x
// head size x 2 bytes a token (524,288 bytes for 7b, 327,680 for 70b).

export const engineProfileNames = ['a100-7b', 'h100-7b', 'a100-70b'] as const;
export type EngineProfileName = (typeof engineProfileNames)[number];

export type EngineProfile = {
  readonly name: EngineProfileName;
  readonly hardware: string;
  /** Tokens in a step -> microseconds for it, ascending, starting at 1 token. */
  readonly stepTable: readonly (readonly [tokens: number, us: number])[];
  /** Picoseconds to read one token of KV cache while decoding. */
  readonly kvReadPs: number;
  /** Picoseconds for one pair of a new prompt token and a token before it. */
  readonly prefillPairPs: number;
  /** Tokens that the KV cache holds. */
  readonly kvTokens: number;
};

export const engineProfiles: Readonly<Record<EngineProfileName, EngineProfile>> = {
  'a100-7b': {
    name: 'a100-7b',
    hardware: 'Llama-2-7b on 1 x A100 80 GB',
    stepTable: [
      [1, 9085],
      [16, 9198],
      [32, 9540],
      [64, 9702],
      [128, 12249],
      [192, 17003],
      [256, 18088],
      [384, 23590],
      [512, 33389],
      [768, 47269],
      [1024, 68514],
      [1536, 99069],
      [2048, 133971],
      [3072, 197087],
      [4096, 260242],
    ],
    kvReadPs: 367_754,
    prefillPairPs: 2572,
    kvTokens: 121_752,
  },
  'h100-7b': {
    name: 'h100-7b',
    hardware: 'Llama-2-7b on 1 x H100 80 GB',
    stepTable: [
      [1, 5524],
      [16, 5798],
      [32, 5798],
      [64, 5884],
      [128, 6817],
      [192, 7561],
      [256, 9161],
      [384, 11324],
      [512, 12355],
      [768, 19069],
      [1024, 21054],
      [1536, 33422],
      [2048, 40483],
      [3072, 64123],
      [4096, 83998],
    ],
    kvReadPs: 223_608,
    prefillPairPs: 830,
    kvTokens: 121_752,
  },
  'a100-70b': {
    name: 'a100-70b',
    hardware: 'Llama-2-70b on 4 x A100 80 GB, tensor parallel',
    stepTable: [
      [1, 28804],
      [16, 32439],
      [32, 32496],
      [64, 36021],
      [128, 42386],
      [192, 56649],
      [256, 64666],
      [384, 81958],
      [512, 112170],
      [768, 154334],
      [1024, 216006],
      [1536, 302825],
      [2048, 383750],
      [3072, 579384],
      [4096, 735243],
    ],
    kvReadPs: 59_464,
    prefillPairPs: 2985,
    kvTokens: 522_726,
  },
};

/** Tokens in one block of KV cache: the default of vLLM (`block_size` 16). */
export const kvBlockTokens = 16;

/** Tokens that one step may hold, decode first: the default of vLLM (`max_num_batched_tokens`). */
export const stepTokensMax = 2048;

/** Characters that count as one token of a prompt. */
export const charactersPerToken = 4;
