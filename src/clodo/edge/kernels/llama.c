// Decoders of the llama family: RMSNorm, rotary positions, grouped-query attention, SwiGLU. One instance holds some layers,
// or the vocabulary, or both; whoever embeds it streams the weights in and calls in the order
// parameters → prepare → allocate_weights, attach_* → forward.
#include "tensor.h"

#define MAX_LAYERS 256
#define MAX_TOKENS 64  // in one forward pass

// Written from outside before `prepare`; all 4 bytes wide.
static struct {
  i32 layers, width, hidden, heads, kv_heads, head_size, rope_size, rope_split;  // rope_split: pairs are half a head apart, not side by side
  i32 context, slots, vocabulary;                                                 // vocabulary: how many tokens have their scores here
  f32 epsilon;
} P;

// A tensor of a blob of weights: where it begins, from the blob's own beginning (0: it is not there), and its kind.
typedef struct { u32 offset, kind; } Entry;
typedef struct { Kind kind; const u8 *data; } Tensor;

enum { ATTENTION_NORM, Q, K, V, O, HIDDEN_NORM, GATE, UP, DOWN, Q_BIAS, K_BIAS, V_BIAS, Q_NORM, K_NORM, LAYER_TENSORS };
enum { OUTPUT_NORM, EMBEDDING, HEAD, VOCABULARY_TENSORS };

static Tensor layers[MAX_LAYERS][LAYER_TENSORS], vocabulary[VOCABULARY_TENSORS];

static u16 *keys, *values;                      // f16 [layer][slot][kv head][position][head_size]
static f32 *angles;                             // [position][cos | sin][rope_size / 2]
static f32 *states;                             // [MAX_TOKENS][width]: goes in and comes out
static f32 *normed, *q, *k, *v, *wide, *wide2;  // scratch for MAX_TOKENS tokens
static f32 *scores;                             // [4][context rounded up to 4]
static f32 *rows;                               // [4][head_size]
static f32 *scored;                             // logits [vocabulary rounded up to 8]
static Block *blocks;

EXPORT(parameters) void *parameters(void) { return &P; }

INLINE i32 up(i32 n, i32 to) { return (n + to - 1) / to * to; }
INLINE i32 longest(i32 a, i32 b) { return a > b ? a : b; }

// Makes room for everything but weights. 1, or 0 where memory does not suffice or the shape is not one that works here.
EXPORT(prepare) i32 prepare(void) {
  if (P.layers > MAX_LAYERS || P.width % 32 || P.hidden % 32 || P.head_size % 8 || P.rope_size % 8 || P.rope_size > P.head_size) return 0;
  if ((P.heads * P.head_size) % 32 || P.heads % P.kv_heads) return 0;
  i32 q_width = P.heads * P.head_size, kv_width = P.kv_heads * P.head_size;
  states = allocate(4u * MAX_TOKENS * P.width);
  normed = allocate(4u * MAX_TOKENS * longest(P.width, q_width));
  blocks = allocate(sizeof(Block) * MAX_TOKENS / 32 * longest(longest(P.width, q_width), P.layers ? P.hidden : 0));
  if (!states || !normed || !blocks) return 0;
  if (P.layers) {
    u32 cache = 2u * P.layers * P.slots * P.context * kv_width;
    keys = allocate(cache);
    values = allocate(cache);
    angles = allocate(4u * P.context * P.rope_size);
    q = allocate(4u * MAX_TOKENS * longest(P.width, q_width));
    k = allocate(4u * MAX_TOKENS * kv_width);
    v = allocate(4u * MAX_TOKENS * kv_width);
    wide = allocate(4u * MAX_TOKENS * P.hidden);
    wide2 = allocate(4u * MAX_TOKENS * P.hidden);
    scores = allocate(16u * up(P.context, 4));
    rows = allocate(16u * P.head_size);
    if (!keys || !values || !angles || !q || !k || !v || !wide || !wide2 || !scores || !rows) return 0;
  }
  if (P.vocabulary && !(scored = allocate(4u * up(P.vocabulary, 8)))) return 0;
  return 1;
}

EXPORT(allocate_weights) void *allocate_weights(u32 bytes) { return allocate(bytes); }
EXPORT(angles_at) f32 *angles_at(void) { return angles; }
EXPORT(states_at) f32 *states_at(void) { return states; }
EXPORT(scores_at) f32 *scores_at(void) { return scored; }
EXPORT(longest_pass) i32 longest_pass(void) { return MAX_TOKENS; }

static void attach(Tensor *to, const u8 *blob, i32 count) {
  const Entry *entries = (const Entry *)blob;
  for (i32 i = 0; i < count; i++) {
    to[i].kind = (Kind)entries[i].kind;
    to[i].data = entries[i].offset ? blob + entries[i].offset : 0;
  }
}
EXPORT(attach_layer) void attach_layer(i32 layer, const u8 *blob) { attach(layers[layer], blob, LAYER_TENSORS); }
EXPORT(attach_vocabulary) void attach_vocabulary(const u8 *blob) { attach(vocabulary, blob, VOCABULARY_TENSORS); }

// ---- parts of a layer -------------------------------------------------------------------------------------------------

static void rms_norm(const f32 *x, const f32 *gain, f32 *out, i32 n) {
  vec sum = splat(0.f);
  for (i32 i = 0; i < n; i += 4) { vec a = load(x + i); sum = fused(a, a, sum); }
  vec scale = splat(1.f / square_root(total(sum) / (f32)n + P.epsilon));
  for (i32 i = 0; i < n; i += 4) store(out + i, wasm_f32x4_mul(wasm_f32x4_mul(load(x + i), scale), load(gain + i)));
}

static void add(f32 *x, const f32 *y, i32 n) {
  for (i32 i = 0; i < n; i += 4) store(x + i, wasm_f32x4_add(load(x + i), load(y + i)));
}

static void rotate(f32 *x, const f32 *angle, i32 heads) {
  i32 half = P.rope_size / 2;
  const f32 *cosines = angle, *sines = angle + half;
  for (i32 head = 0; head < heads; head++, x += P.head_size) {
    for (i32 i = 0; i < half; i += 4) {
      vec c = load(cosines + i), s = load(sines + i);
      f32 *at = P.rope_split ? x + i : x + 2 * i, *next = P.rope_split ? x + half + i : at + 4;
      vec a = load(at), b = load(next);
      if (!P.rope_split) {
        vec first = a, second = b;
        a = wasm_i32x4_shuffle(first, second, 0, 2, 4, 6);
        b = wasm_i32x4_shuffle(first, second, 1, 3, 5, 7);
      }
      vec x0 = wasm_f32x4_sub(wasm_f32x4_mul(a, c), wasm_f32x4_mul(b, s));
      vec x1 = wasm_f32x4_add(wasm_f32x4_mul(a, s), wasm_f32x4_mul(b, c));
      store(at, P.rope_split ? x0 : wasm_i32x4_shuffle(x0, x1, 0, 4, 1, 5));
      store(next, P.rope_split ? x1 : wasm_i32x4_shuffle(x0, x1, 2, 6, 3, 7));
    }
  }
}

// R rows of queries (heads that share keys, of one token or of several) against the first `n` keys; row r sees `seen[r]` of them.
// Keys and values come from memory once for all rows. R is a constant where it is called.
INLINE void attend_rows(i32 R, const f32 *const *from, f32 *const *to, const i32 *seen, const u16 *key, const u16 *value, i32 n) {
  i32 size = P.head_size, stride = up(P.context, 4);
  vec scale = splat(F16_GAIN / square_root((f32)size));
  for (i32 r = 0; r < R; r++)
    for (i32 i = 0; i < size; i += 4) store(rows + r * size + i, wasm_f32x4_mul(load(from[r] + i), scale));
  for (i32 j = 0; j < n; j++, key += size) {
    vec sum[4] = {splat(0.f), splat(0.f), splat(0.f), splat(0.f)};
    for (i32 i = 0; i < size; i += 4) {
      vec a = halves_to_scaled(key + i);
      for (i32 r = 0; r < R; r++) sum[r] = fused(a, load(rows + r * size + i), sum[r]);
    }
    for (i32 r = 0; r < R; r++) scores[r * stride + j] = total(sum[r]);
  }
  for (i32 r = 0; r < R; r++) {
    f32 *s = scores + r * stride;
    for (i32 j = seen[r]; j < up(n, 4); j++) s[j] = -1e30f;
    vec top = splat(-1e30f), sum = splat(0.f);
    for (i32 j = 0; j < n; j += 4) top = wasm_f32x4_max(top, load(s + j));
    top = splat(largest(top));
    for (i32 j = 0; j < n; j += 4) {
      vec e = exponential(wasm_f32x4_sub(load(s + j), top));
      store(s + j, e);
      sum = wasm_f32x4_add(sum, e);
    }
    vec share = splat(F16_GAIN / total(sum));
    for (i32 j = 0; j < n; j += 4) store(s + j, wasm_f32x4_mul(load(s + j), share));
    // e^-87 is not 0, and what a row must not see counts for nothing at all.
    for (i32 j = seen[r]; j < n; j++) s[j] = 0.f;
  }
  for (i32 i = 0; i < size; i += 8) {
    vec out[4][2];
    for (i32 r = 0; r < R; r++) out[r][0] = out[r][1] = splat(0.f);
    const u16 *column = value + i;
    for (i32 j = 0; j < n; j++, column += size) {
      vec a = halves_to_scaled(column), b = halves_to_scaled(column + 4);
      for (i32 r = 0; r < R; r++) {
        vec p = wasm_v128_load32_splat(scores + r * stride + j);
        out[r][0] = fused(a, p, out[r][0]);
        out[r][1] = fused(b, p, out[r][1]);
      }
    }
    for (i32 r = 0; r < R; r++) { store(to[r] + i, out[r][0]); store(to[r] + i + 4, out[r][1]); }
  }
}

// All heads of `tokens` tokens, the first at `position`; their keys and values are in the cache already. Out goes to `normed`.
static void attend(i32 layer, i32 slot, i32 tokens, i32 position) {
  i32 size = P.head_size, group = P.heads / P.kv_heads, q_width = P.heads * size;
  for (i32 head = 0; head < P.kv_heads; head++) {
    u32 at = (u32)(((layer * P.slots + slot) * P.kv_heads + head) * P.context) * (u32)size;
    for (i32 row = 0; row < tokens * group; row += 4) {
      const f32 *from[4];
      f32 *to[4];
      i32 seen[4], count = tokens * group - row < 4 ? tokens * group - row : 4, n = 0;
      for (i32 r = 0; r < count; r++) {
        i32 token = (row + r) / group, place = token * q_width + (head * group + (row + r) % group) * size;
        from[r] = q + place;
        to[r] = normed + place;
        n = seen[r] = position + token + 1;
      }
      if (count == 4) attend_rows(4, from, to, seen, keys + at, values + at, n);
      if (count == 3) attend_rows(3, from, to, seen, keys + at, values + at, n);
      if (count == 2) attend_rows(2, from, to, seen, keys + at, values + at, n);
      if (count == 1) attend_rows(1, from, to, seen, keys + at, values + at, n);
    }
  }
}

static void quantise_all(const f32 *x, i32 n, i32 tokens) {
  for (i32 t = 0; t < tokens; t++) quantise(x + t * n, blocks + t * (n / 32), n);
}

INLINE void product(Tensor w, f32 *y, i32 n_out, i32 n_in, i32 tokens) { multiply(w.kind, w.data, blocks, y, n_out, n_in, tokens, n_out); }

static void bias_and_norm(f32 *x, Tensor bias, Tensor gain, i32 heads, i32 tokens) {
  for (i32 t = 0; t < tokens; t++, x += heads * P.head_size) {
    if (bias.data) add(x, (const f32 *)bias.data, heads * P.head_size);
    if (gain.data) for (i32 h = 0; h < heads; h++) rms_norm(x + h * P.head_size, (const f32 *)gain.data, x + h * P.head_size, P.head_size);
  }
}

static void keep(i32 layer, i32 slot, i32 tokens, i32 position) {
  i32 size = P.head_size;
  for (i32 t = 0; t < tokens; t++)
    for (i32 head = 0; head < P.kv_heads; head++) {
      u32 at = (u32)(((layer * P.slots + slot) * P.kv_heads + head) * P.context + position + t) * (u32)size;
      store_halves(keys + at, k + (t * P.kv_heads + head) * size, size);
      store_halves(values + at, v + (t * P.kv_heads + head) * size, size);
    }
}

static void attention(i32 layer, i32 slot, i32 tokens, i32 position) {
  const Tensor *w = layers[layer];
  i32 q_width = P.heads * P.head_size, kv_width = P.kv_heads * P.head_size;
  for (i32 t = 0; t < tokens; t++) rms_norm(states + t * P.width, (const f32 *)w[ATTENTION_NORM].data, normed + t * P.width, P.width);
  quantise_all(normed, P.width, tokens);
  product(w[Q], q, q_width, P.width, tokens);
  product(w[K], k, kv_width, P.width, tokens);
  product(w[V], v, kv_width, P.width, tokens);
  bias_and_norm(q, w[Q_BIAS], w[Q_NORM], P.heads, tokens);
  bias_and_norm(k, w[K_BIAS], w[K_NORM], P.kv_heads, tokens);
  bias_and_norm(v, w[V_BIAS], (Tensor){Q4_0, 0}, P.kv_heads, tokens);
  for (i32 t = 0; t < tokens; t++) {
    rotate(q + t * q_width, angles + (position + t) * P.rope_size, P.heads);
    rotate(k + t * kv_width, angles + (position + t) * P.rope_size, P.kv_heads);
  }
  keep(layer, slot, tokens, position);
  attend(layer, slot, tokens, position);
  quantise_all(normed, q_width, tokens);
  product(w[O], q, P.width, q_width, tokens);
  add(states, q, tokens * P.width);
}

static void feed_forward(i32 layer, i32 tokens) {
  const Tensor *w = layers[layer];
  for (i32 t = 0; t < tokens; t++) rms_norm(states + t * P.width, (const f32 *)w[HIDDEN_NORM].data, normed + t * P.width, P.width);
  quantise_all(normed, P.width, tokens);
  product(w[GATE], wide, P.hidden, P.width, tokens);
  product(w[UP], wide2, P.hidden, P.width, tokens);
  for (i32 i = 0; i < tokens * P.hidden; i += 4) {
    vec gate = load(wide + i), one = splat(1.f);
    vec swish = wasm_f32x4_div(gate, wasm_f32x4_add(one, exponential(wasm_f32x4_neg(gate))));
    store(wide + i, wasm_f32x4_mul(swish, load(wide2 + i)));
  }
  quantise_all(wide, P.hidden, tokens);
  product(w[DOWN], normed, P.width, P.hidden, tokens);
  add(states, normed, tokens * P.width);
}

// ---- what is called ---------------------------------------------------------------------------------------------------

// Layers first..last-1 over `states`: `tokens` tokens of which the first is at `position` of `slot`.
EXPORT(forward) void forward(i32 first, i32 last, i32 slot, i32 tokens, i32 position) {
  for (i32 layer = first; layer < last; layer++) {
    attention(layer, slot, tokens, position);
    feed_forward(layer, tokens);
  }
}

// The first `count` positions of a slot into another.
EXPORT(copy_slot) void copy_slot(i32 from, i32 to, i32 count) {
  for (i32 layer = 0; layer < P.layers; layer++)
    for (i32 head = 0; head < P.kv_heads; head++) {
      u32 row = (u32)P.context * (u32)P.head_size, bytes = 2u * (u32)count * (u32)P.head_size;
      u32 source = (u32)((layer * P.slots + from) * P.kv_heads + head) * row;
      u32 target = (u32)((layer * P.slots + to) * P.kv_heads + head) * row;
      __builtin_memcpy(keys + target, keys + source, bytes);
      __builtin_memcpy(values + target, values + source, bytes);
    }
}

// A token's embedding into row `row` of `states`.
EXPORT(embed) void embed(i32 token, i32 row) {
  read_row(vocabulary[EMBEDDING].kind, vocabulary[EMBEDDING].data, token, P.width, states + row * P.width);
}

// The scores of all tokens after row `row` of `states`: f32 [vocabulary].
EXPORT(logits) f32 *logits(i32 row) {
  rms_norm(states + row * P.width, (const f32 *)vocabulary[OUTPUT_NORM].data, normed, P.width);
  quantise(normed, blocks, P.width);
  product(vocabulary[HEAD], scored, up(P.vocabulary, 8), P.width, 1);
  return scored;
}

EXPORT(best) i32 best(void) { return place_of_largest(scored, P.vocabulary); }

// log of the sum of e^logit: a token's log-probability is its logit less this.
EXPORT(log_of_sum_from) f32 log_of_sum_from(f32 top) {
  vec sum = splat(0.f);
  i32 i = 0;
  for (; i + 4 <= P.vocabulary; i += 4) sum = wasm_f32x4_add(sum, exponential(wasm_f32x4_sub(load(scored + i), splat(top))));
  f32 all = total(sum);
  for (; i < P.vocabulary; i++) all += wasm_f32x4_extract_lane(exponential(splat(scored[i] - top)), 0);
  return all;  // the caller has a logarithm: log(this) + top
}
