// The encoder that understands descriptions: a BERT-like reader and the graph network over mentions, in 8-bit weights.
//
// What onnxruntime does with the exported graphs on x86 is done here bit for bit: activations are quantised anew for each product
// (unsigned 8 bit, one scale and zero point for the whole tensor), products with the 8-bit weights are summed in integers, all
// else is float32, in the same order and with the same fused products. It has to be the same bits: a difference in the last one
// moves some value over the edge of a step of 8 bits, and six layers later scores differ by tenths. Integer sums exist in two
// ways: exact, and as x86 without VNNI makes them, where two neighbouring products are cut off at 16 bits. The weights file
// says which of them the machine has that it was made on.
//
// There is no allocator: the weights lie from weights() on, buffers behind them, and one text is worked on at a time.
#include <wasm_simd128.h>

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;

#define EXPORT(name) __attribute__((export_name(name)))
#define MAGIC 0x31454c43u
// What is kept of the scores of pairs at least, and by how many pieces room grows.
#define PAIR_BYTES (3u << 19)
#define STEP 128u

extern u8 __heap_base;

// A dense layer: k inputs, n outputs (padded to a multiple of 8). Its weights stand in tiles of 8 columns; of each 4 inputs
// and 4 columns, first the even inputs (k0 k2 of each column), then the odd ones.
typedef struct {
  u32 k, n, padded;
  const float *scale, *bias;
  const int *sum;
  const signed char *weights;
} Linear;

typedef struct { const float *weight, *bias; float epsilon; } Norm;
// A table of 8-bit rows that are made float when they are looked up.
typedef struct { u32 rows, width; float scale; int zero; const u8 *values; } Table;
typedef struct { Linear qkv, out, up, down; Norm after_attention, after_feed; } Layer;

#define MOST_LAYERS 32
static struct {
  u32 hidden, layers, heads, positions, tags, access, verdict, service;
  u32 width, pair_width, link_layers, link_heads, labels, types, field_flags, entity_flags;
  u32 saturating, wide, edges;
  const int *edge;
  float scale;
  Table word, position, kind, bias[3], pair_bias[3];
  const float *type, *access_weight, *biaffine;
  Norm embedding;
  Layer layer[MOST_LAYERS], link[MOST_LAYERS];
  Linear tagger, whole, enter, sides, left_score, right_score, said;
} m;

// Buffers, see start().
static float *states, *wide, *row, *tag_scores, *whole_scores, *word_weights, *pooled;
static float *begun, *x, *sides, *left_scores, *right_scores, *said, *columns, *pair_rows;
static u16 *narrow;
static int *ids, *firsts, *lasts, *kinds, *places, *lines, *marks;
static u32 mentions, widest, link_widest, capacity, pair_bytes;

// ---------------------------------------------------------------- reading the weights

static const u8 *cursor;

static const void *take(u32 bytes) {
  const u8 *at = cursor;
  cursor += (bytes + 15u) & ~15u;
  return at;
}

static Linear take_linear(void) {
  const u32 *head = take(16);
  Linear l = {head[0], head[1], head[2], 0, 0, 0, 0};
  l.scale = take(l.padded * 4);
  l.bias = take(l.padded * 4);
  l.sum = take(l.padded * 4);
  l.weights = take(l.padded * l.k);
  return l;
}

static Norm take_norm(u32 width) {
  Norm n;
  n.epsilon = *(const float *)take(4);
  n.weight = take(width * 4);
  n.bias = take(width * 4);
  return n;
}

static Table take_table(void) {
  const u32 *head = take(16);
  Table t = {head[0], head[1], ((const float *)head)[2], (int)head[3], 0};
  t.values = take(t.rows * t.width);
  return t;
}

static Layer take_layer(u32 width) {
  Layer l;
  l.qkv = take_linear();
  l.out = take_linear();
  l.after_attention = take_norm(width);
  l.up = take_linear();
  l.down = take_linear();
  l.after_feed = take_norm(width);
  return l;
}

static u32 larger(u32 a, u32 b) { return a > b ? a : b; }

static u8 *free_from, *end_of_weights;

static void *reserve(u32 bytes) {
  u8 *at = free_from;
  free_from += (bytes + 15u) & ~15u;
  return at;
}

EXPORT("weights") u8 *weights(void) { return (u8 *)(((u32)&__heap_base + 63u) & ~63u); }

// Reads the file of `bytes` bytes that lies at weights(). 1 where all is well, 0 where it is no such file.
EXPORT("start") int start(u32 bytes) {
  cursor = weights();
  const u32 *h = take(128);
  if (h[0] != MAGIC || h[2] > MOST_LAYERS || h[12] > MOST_LAYERS) return 0;
  m.hidden = h[1], m.layers = h[2], m.heads = h[3], m.positions = h[4];
  m.tags = h[5], m.access = h[6], m.verdict = h[7], m.service = h[8];
  m.width = h[9], m.pair_width = h[10], m.link_heads = h[11], m.link_layers = h[12], m.labels = h[13];
  m.types = h[14], m.field_flags = h[15], m.entity_flags = h[16], m.saturating = h[17], m.wide = h[20];
  m.scale = ((const float *)h)[18];
  m.word = take_table();
  m.position = take_table();
  m.type = take(m.hidden * 4);
  m.embedding = take_norm(m.hidden);
  for (u32 i = 0; i < m.layers; i++) m.layer[i] = take_layer(m.hidden);
  m.tagger = take_linear();
  m.whole = take_linear();
  m.access_weight = take(m.access * m.hidden * 4);
  m.edges = h[19];
  m.edge = take(m.edges * 4);
  m.enter = take_linear();
  m.kind = take_table();
  for (u32 i = 0; i < 3; i++) m.bias[i] = take_table();
  for (u32 i = 0; i < m.link_layers; i++) m.link[i] = take_layer(m.width);
  m.sides = take_linear();
  m.biaffine = take(m.labels * m.pair_width * m.pair_width * 4);
  m.left_score = take_linear();
  m.right_score = take_linear();
  for (u32 i = 0; i < 3; i++) m.pair_bias[i] = take_table();
  m.said = take_linear();
  if ((u32)(cursor - weights()) != bytes) return 0;

  widest = larger(m.enter.k, larger(m.link[0].up.n, larger(4 * m.width, 4 * m.hidden)));
  for (u32 i = 0; i < m.layers; i++) widest = larger(widest, m.layer[i].up.n);
  link_widest = larger(m.link[0].up.n, 4 * m.width);
  // transform() puts what the second product gives beside its quantised input.
  if (m.link[0].up.n < 2 * m.width) return 0;
  for (u32 i = 0; i < m.layers; i++) if (m.layer[i].up.n < 2 * m.hidden) return 0;
  end_of_weights = (u8 *)cursor;
  capacity = 0;
  return 1;
}

// Lays out the buffers for a text of `count` pieces; what a text left in them is lost. 1 where all is well, 0 where the model
// cannot read so many, -1 where there is no memory.
EXPORT("prepare") int prepare(u32 count) {
  if (count > m.positions) return 0;
  if (count <= capacity) return 1;
  u32 t = (count + STEP - 1) / STEP * STEP, size = larger(m.hidden / m.heads, m.width / m.link_heads);
  free_from = end_of_weights;
  states = reserve(t * larger(m.hidden, m.width + 2 * m.labels) * 4);
  // Once mentions are entered, nobody asks for the states, and what mentions come to takes their place.
  begun = states;
  left_scores = states + t * m.width;
  right_scores = left_scores + t * m.labels;
  // Layers over mentions are narrower than the text's: behind what is worked out in the wide room lie the mentions themselves.
  // Pairs are worked out when all else is done.
  pair_bytes = larger(t * link_widest * 4, PAIR_BYTES);
  pair_rows = wide = reserve(larger(t * widest * 4, pair_bytes + t * (m.width + 2 * m.pair_width) * 4));
  x = wide + pair_bytes / 4;
  sides = x + t * m.width;
  narrow = reserve(t * larger(m.hidden, m.width) * 2);
  row = reserve((t + 16) * 4);
  tag_scores = reserve(t * m.tags * 4);
  whole_scores = reserve(m.whole.n * 4);
  word_weights = reserve(t * 4);
  pooled = reserve(2 * m.hidden * 4);
  said = reserve(t * m.said.n * 4);
  columns = reserve(larger(size, m.labels) * larger(t, m.pair_width) * 4);
  ids = reserve(t * 4);
  firsts = reserve(t * 4);
  lasts = reserve(t * 4);
  kinds = reserve(t * 4);
  places = reserve(t * 4);
  lines = reserve(t * 4);
  marks = reserve(t * 4);
  u32 pages = ((u32)free_from + 0xffffu) >> 16, now = (u32)__builtin_wasm_memory_size(0);
  if (pages > now && __builtin_wasm_memory_grow(0, pages - now) == ~0ul) return -1;
  capacity = t;
  return 1;
}

// ---------------------------------------------------------------- functions

// a * b + c, rounded once. Relaxed SIMD rounds once wherever the processor can, which today's do; without it the sum is made in
// double precision, where a product of two floats is exact.
#ifdef RELAXED
#define fused wasm_f32x4_relaxed_madd
#else
static v128_t fused(v128_t a, v128_t b, v128_t c) {
  v128_t low = wasm_f64x2_mul(wasm_f64x2_promote_low_f32x4(a), wasm_f64x2_promote_low_f32x4(b));
  low = wasm_f64x2_add(low, wasm_f64x2_promote_low_f32x4(c));
#define UPPER(v) wasm_f64x2_promote_low_f32x4(wasm_i32x4_shuffle(v, v, 2, 3, 2, 3))
  v128_t high = wasm_f64x2_add(wasm_f64x2_mul(UPPER(a), UPPER(b)), UPPER(c));
  return wasm_i32x4_shuffle(wasm_f32x4_demote_f64x2_zero(low), wasm_f32x4_demote_f64x2_zero(high), 0, 1, 4, 5);
}
#endif

static v128_t all(float value) { return wasm_f32x4_splat(value); }

static v128_t polynomial(v128_t x, const float *factors, u32 count) {
  v128_t sum = all(factors[0]);
  for (u32 i = 1; i < count; i++) sum = fused(sum, x, all(factors[i]));
  return sum;
}

// e^x: x = n ln 2 + r, and a polynomial for e^r. The factors of this and of the error function are those of onnxruntime's
// kernels, without which the bits would be others.
static v128_t power4(v128_t x, const float factors[7]) {
  v128_t magic = all(12582912.0f);
  v128_t n = wasm_f32x4_sub(fused(x, all(1.44269504088896341f), magic), magic);
  v128_t r = fused(n, all(-1.42860677e-6f), fused(n, all(-0.693145752f), x));
  v128_t scale = wasm_i32x4_shl(wasm_i32x4_add(wasm_i32x4_trunc_sat_f32x4(n), wasm_i32x4_splat(127)), 23);
  return wasm_f32x4_mul(polynomial(r, factors, 7), scale);
}

static const float in_softmax[7] = {0x1.694p-10f, 0x1.125edcp-7f, 0x1.555b5ap-5f, 0x1.55545p-3f, 0x1.fffff6p-2f, 1.0f, 1.0f};
static const float in_erf[7] = {1.38319808e-3f, 8.37550033e-3f, 4.16689515e-2f, 1.66664466e-1f, 4.99999851e-1f, 1.0f, 1.0f};

static v128_t exp4(v128_t x) { return power4(wasm_f32x4_pmax(x, all(-88.3762626647949f)), in_softmax); }

// The error function: an odd polynomial up to 0.92, 1 - e^-q(x) beyond.
static v128_t erf4(v128_t x) {
  static const float small[6] = {-5.99104969e-4f, 4.99339588e-3f, -2.67667342e-2f, 1.12818025e-1f, -3.76124859e-1f, 1.28379151e-1f};
  static const float large[7] = {1.72948930e-5f, -3.83208680e-4f, 3.88393435e-3f, -2.42545605e-2f, 1.06777847e-1f, 6.34846687e-1f, 1.28717512e-1f};
  v128_t a = wasm_f32x4_pmin(wasm_f32x4_abs(x), all(3.925f));
  v128_t near = fused(polynomial(wasm_f32x4_mul(a, a), small, 6), a, a);
  v128_t q = fused(polynomial(a, large, 7), a, a);
  v128_t far = wasm_f32x4_sub(all(1.0f), power4(wasm_f32x4_neg(q), in_erf));
  v128_t made = wasm_v128_bitselect(far, near, wasm_f32x4_gt(a, all(0.921875f)));
  return wasm_v128_bitselect(x, made, wasm_i32x4_splat((int)0x80000000u));
}

static void gelu(float *v, u32 count) {
  for (u32 i = 0; i < count; i += 4) {
    v128_t a = wasm_v128_load(v + i);
    v128_t e = wasm_f32x4_add(erf4(wasm_f32x4_mul(a, all(0.70710678118654752440f))), all(1.0f));
    wasm_v128_store(v + i, wasm_f32x4_mul(wasm_f32x4_mul(a, all(0.5f)), e));
  }
}

static float lane_sum(v128_t v) {
  v128_t halves = wasm_f32x4_add(v, wasm_i32x4_shuffle(v, v, 2, 3, 2, 3));
  return wasm_f32x4_extract_lane(halves, 0) + wasm_f32x4_extract_lane(halves, 1);
}

// Layer normalisation as the operation of its own does it: the mean in double precision, squares in 8 lanes.
static void normalise(float *v, u32 rows, u32 width, const Norm *norm) {
  for (u32 t = 0; t < rows; t++, v += width) {
    double sum = 0.0;
    for (u32 i = 0; i < width; i++) sum += v[i];
    v128_t mean = all((float)(sum / width)), low = all(0.0f), high = low;
    for (u32 i = 0; i < width; i += 8) {
      v128_t d = wasm_f32x4_sub(wasm_v128_load(v + i), mean), e = wasm_f32x4_sub(wasm_v128_load(v + i + 4), mean);
      low = fused(d, d, low);
      high = fused(e, e, high);
    }
    v128_t inverse = all(1.0f / __builtin_sqrtf(lane_sum(wasm_f32x4_add(low, high)) / (float)width + norm->epsilon));
    for (u32 i = 0; i < width; i += 4) {
      v128_t d = wasm_f32x4_mul(wasm_f32x4_sub(wasm_v128_load(v + i), mean), inverse);
      wasm_v128_store(v + i, fused(d, wasm_v128_load(norm->weight + i), wasm_v128_load(norm->bias + i)));
    }
  }
}

// Layer normalisation as the operation that is joined with the sum before it does it: mean and squares follow along, value by
// value (Welford 1962).
static void normalise_joined(float *v, u32 rows, u32 width, const Norm *norm) {
  for (u32 t = 0; t < rows; t++, v += width) {
    float mean = 0.0f, squares = 0.0f;
    for (u32 i = 0; i < width; i++) {
      float distance = v[i] - mean;
      mean += distance / (float)(i + 1);
      squares += distance * (v[i] - mean);
    }
    v128_t centre = all(mean), spread = all(__builtin_sqrtf(squares / (float)width + norm->epsilon));
    for (u32 i = 0; i < width; i += 4) {
      v128_t d = wasm_f32x4_div(wasm_f32x4_sub(wasm_v128_load(v + i), centre), spread);
      d = wasm_f32x4_mul(d, wasm_v128_load(norm->weight + i));
      wasm_v128_store(v + i, wasm_f32x4_add(d, wasm_v128_load(norm->bias + i)));
    }
  }
}

// Chances of `count` scores; `v` has room for a multiple of 16. The powers are added in 8 lanes, or in 16 whose halves are added
// at the end, as the machine does it that the model shall agree with.
static void softmax(float *v, u32 count) {
  float most = v[0];
  for (u32 i = 1; i < count; i++) most = v[i] > most ? v[i] : most;
  u32 end = (count + 15) & ~15u;
  for (u32 i = count; i < end; i++) v[i] = 0.0f;
  for (u32 i = 0; i < count; i += 4) wasm_v128_store(v + i, exp4(wasm_f32x4_sub(wasm_v128_load(v + i), all(most))));
  for (u32 i = count; i < end; i++) v[i] = 0.0f;
  v128_t sum[4] = {all(0.0f), all(0.0f), all(0.0f), all(0.0f)};
  for (u32 i = 0; i < end; i += 4) {
    v128_t *lanes = &sum[i >> 2 & (m.wide ? 3 : 1)];
    *lanes = wasm_f32x4_add(*lanes, wasm_v128_load(v + i));
  }
  float l[4], h[4];
  wasm_v128_store(l, wasm_f32x4_add(sum[0], sum[2]));
  wasm_v128_store(h, wasm_f32x4_add(sum[1], sum[3]));
  v128_t share = all(1.0f / (((l[0] + l[1]) + (l[2] + l[3])) + ((h[0] + h[1]) + (h[2] + h[3]))));
  for (u32 i = 0; i < count; i += 4) wasm_v128_store(v + i, wasm_f32x4_mul(wasm_v128_load(v + i), share));
}

// ---------------------------------------------------------------- products in 8 bits

static const u16 *quantised;
static float quantised_scale;
static int quantised_zero;

// Makes a tensor of count values (rows of a multiple of 4) to unsigned 8 bits, held in 16, each four in the order 0 2 1 3. The
// range always holds 0. `to` may be where the values are: each four are read before their half of the place is written.
static void quantise(const float *v, u32 count, u16 *to) {
  v128_t low = wasm_f32x4_splat(0.0f), high = low;
  for (u32 i = 0; i < count; i += 4) {
    v128_t a = wasm_v128_load(v + i);
    low = wasm_f32x4_pmin(low, a);
    high = wasm_f32x4_pmax(high, a);
  }
  float least = 0.0f, most = 0.0f, lows[4], highs[4];
  wasm_v128_store(lows, low);
  wasm_v128_store(highs, high);
  for (u32 i = 0; i < 4; i++) {
    least = lows[i] < least ? lows[i] : least;
    most = highs[i] > most ? highs[i] : most;
  }
  float scale = most == least ? 1.0f : (most - least) / 255.0f;
  float at = __builtin_rintf(0.0f - least / scale);
  int zero = (int)(at < 0.0f ? 0.0f : at > 255.0f ? 255.0f : at);
  v128_t bottom = wasm_f32x4_splat((float)-zero), top = wasm_f32x4_splat((float)(255 - zero)), by = wasm_f32x4_splat(scale);
  for (u32 i = 0; i < count; i += 4) {
    v128_t a = wasm_f32x4_div(wasm_v128_load(v + i), by);
    a = wasm_f32x4_nearest(wasm_f32x4_pmin(wasm_f32x4_pmax(a, bottom), top));
    v128_t q = wasm_i32x4_add(wasm_i32x4_trunc_sat_f32x4(a), wasm_i32x4_splat(zero));
    q = wasm_i32x4_shuffle(q, q, 0, 2, 1, 3);
    wasm_v128_store64_lane(to + i, wasm_u16x8_narrow_i32x4(q, q), 0);
  }
  quantised = to;
  quantised_scale = scale;
  quantised_zero = zero;
}

// One tile: 8 columns of up to 4 rows. `paired` cuts the sum of two neighbouring products off at 16 bits.
#define TILE(NAME, STEP)                                                                                              \
  static inline void NAME(const signed char *w, const u16 *q, u32 k, u32 rows, v128_t acc[4][2]) {                     \
    const u16 *q1 = rows > 1 ? q + k : q, *q2 = rows > 2 ? q + 2 * k : q, *q3 = rows > 3 ? q + 3 * k : q;              \
    v128_t zero = wasm_i32x4_splat(0);                                                                                 \
    v128_t a0 = zero, a1 = zero, b0 = zero, b1 = zero, c0 = zero, c1 = zero, d0 = zero, d1 = zero;                     \
    for (u32 i = 0; i < k; i += 4, w += 32) {                                                                          \
      v128_t one = wasm_v128_load(w), two = wasm_v128_load(w + 16), even, odd;                                         \
      v128_t e1 = wasm_i16x8_extend_low_i8x16(one), o1 = wasm_i16x8_extend_high_i8x16(one);                            \
      v128_t e2 = wasm_i16x8_extend_low_i8x16(two), o2 = wasm_i16x8_extend_high_i8x16(two);                            \
      even = wasm_v128_load32_splat(q + i), odd = wasm_v128_load32_splat(q + i + 2);                                   \
      a0 = STEP(a0, even, odd, e1, o1), a1 = STEP(a1, even, odd, e2, o2);                                              \
      even = wasm_v128_load32_splat(q1 + i), odd = wasm_v128_load32_splat(q1 + i + 2);                                 \
      b0 = STEP(b0, even, odd, e1, o1), b1 = STEP(b1, even, odd, e2, o2);                                              \
      even = wasm_v128_load32_splat(q2 + i), odd = wasm_v128_load32_splat(q2 + i + 2);                                 \
      c0 = STEP(c0, even, odd, e1, o1), c1 = STEP(c1, even, odd, e2, o2);                                              \
      even = wasm_v128_load32_splat(q3 + i), odd = wasm_v128_load32_splat(q3 + i + 2);                                 \
      d0 = STEP(d0, even, odd, e1, o1), d1 = STEP(d1, even, odd, e2, o2);                                              \
    }                                                                                                                  \
    acc[0][0] = a0, acc[0][1] = a1, acc[1][0] = b0, acc[1][1] = b1;                                                    \
    acc[2][0] = c0, acc[2][1] = c1, acc[3][0] = d0, acc[3][1] = d1;                                                    \
  }

static inline v128_t exact_step(v128_t acc, v128_t even, v128_t odd, v128_t e, v128_t o) {
  return wasm_i32x4_add(acc, wasm_i32x4_add(wasm_i32x4_dot_i16x8(even, e), wasm_i32x4_dot_i16x8(odd, o)));
}

static inline v128_t paired_step(v128_t acc, v128_t even, v128_t odd, v128_t e, v128_t o) {
  v128_t both = wasm_i16x8_add_sat(wasm_i16x8_mul(even, e), wasm_i16x8_mul(odd, o));
  return wasm_i32x4_add(acc, wasm_i32x4_extadd_pairwise_i16x8(both));
}

TILE(exact_tile, exact_step)
TILE(paired_tile, paired_step)

// out[rows][n] = what was quantised last (rows of l->k values) times the layer's weights, plus its bias.
static void apply(const Linear *l, u32 rows, float *out) {
  for (u32 column = 0; column < l->padded; column += 8) {
    const signed char *w = l->weights + column * l->k;
    u32 columns = l->n - column < 8 ? l->n - column : 8;
    v128_t by[2], plus[2], zeros[2];
    for (u32 h = 0; h < 2; h++) {
      by[h] = wasm_f32x4_mul(wasm_v128_load(l->scale + column + 4 * h), wasm_f32x4_splat(quantised_scale));
      plus[h] = wasm_v128_load(l->bias + column + 4 * h);
      zeros[h] = wasm_i32x4_mul(wasm_v128_load(l->sum + column + 4 * h), wasm_i32x4_splat(quantised_zero));
    }
    for (u32 t = 0; t < rows; t += 4) {
      v128_t acc[4][2];
      u32 here = rows - t < 4 ? rows - t : 4;
      if (m.saturating) paired_tile(w, quantised + t * l->k, l->k, here, acc);
      else exact_tile(w, quantised + t * l->k, l->k, here, acc);
      for (u32 r = 0; r < here; r++) {
        float made[8], *to = out + (t + r) * l->n + column;
        for (u32 h = 0; h < 2; h++) {
          v128_t f = wasm_f32x4_convert_i32x4(wasm_i32x4_sub(acc[r][h], zeros[h]));
          wasm_v128_store(made + 4 * h, wasm_f32x4_add(wasm_f32x4_mul(f, by[h]), plus[h]));
        }
        for (u32 c = 0; c < columns; c++) to[c] = made[c];
      }
    }
  }
}

static void linear(const Linear *l, const float *in, u32 rows, float *out) {
  quantise(in, rows * l->k, narrow);
  apply(l, rows, out);
}

// The same for an input that nobody needs any more: quantised, it takes the first half of its own place, where `out` must not lie.
static void linear_last(const Linear *l, float *in, u32 rows, float *out) {
  quantise(in, rows * l->k, (u16 *)in);
  apply(l, rows, out);
}

static float entry(const Table *t, u32 index, u32 column) {
  return (float)((int)t->values[index * t->width + column] - t->zero) * t->scale;
}

// ---------------------------------------------------------------- pairs of mentions

static u32 bound(int value, int most) { return (u32)((value < -most ? -most : value > most ? most : value) + most); }

// The rows of three tables that speak of a pair: by the bucket of their distance in words, by that in sentences, by the entity
// mentions between them.
typedef struct { u32 row[3]; } Pair;

static Pair pair_of(u32 i, u32 j) {
  int distance = places[j] - places[i];
  u32 low = i < j ? i : j, high = i < j ? j : i, bucket = 0;
  while (bucket < m.edges && m.edge[bucket] <= distance) bucket++;
  int between = low < high ? marks[high] - marks[low + 1] : 0;
  return (Pair){{bucket, bound(lines[j] - lines[i], 3), (u32)(between > 4 ? 4 : between) + (j < i ? 5 : 0)}};
}

static float pair_entry(const Table tables[3], const Pair *pair, u32 column) {
  return (entry(&tables[0], pair->row[0], column) + entry(&tables[1], pair->row[1], column)) + entry(&tables[2], pair->row[2], column);
}

// ---------------------------------------------------------------- transformer layers

// The scores of one row towards all others for one head: row[j] = the product of the query with column j of `columns`, which
// has `stride` floats for each place of the query.
static void compare(const float *query, u32 size, u32 count, u32 stride, float scale) {
  for (u32 j = 0; j < count; j += 8) {
    v128_t a = all(0.0f), b = a;
    for (u32 d = 0; d < size; d++) {
      v128_t q = wasm_v128_load32_splat(query + d);
      a = fused(q, wasm_v128_load(columns + d * stride + j), a);
      b = fused(q, wasm_v128_load(columns + d * stride + j + 4), b);
    }
    wasm_v128_store(row + j, wasm_f32x4_mul(a, all(scale)));
    wasm_v128_store(row + j + 4, wasm_f32x4_mul(b, all(scale)));
  }
}

// mixed[i] = the values of all rows, weighted by how row i attends to them; `wide` holds query, key and value of each row.
// Where `bias` is set, what is known of each pair moves the scores.
static void attend(u32 rows, u32 width, u32 heads, const Table *bias, float *mixed) {
  u32 size = width / heads, stride = (rows + 7) & ~7u;
  float scale = bias ? 1.0f / __builtin_sqrtf((float)size) : m.scale;
  for (u32 h = 0; h < heads; h++) {
    const float *query = wide + h * size, *key = query + width, *value = key + width;
    for (u32 j = 0; j < rows; j++)
      for (u32 d = 0; d < size; d++) columns[d * stride + j] = key[j * 3 * width + d];
    for (u32 i = 0; i < rows; i++) {
      compare(query + i * 3 * width, size, rows, stride, scale);
      if (bias) for (u32 j = 0; j < rows; j++) {
        Pair pair = pair_of(i, j);
        row[j] += pair_entry(bias, &pair, h);
      }
      softmax(row, rows);
      for (u32 d = 0; d < size; d += 8) {
        v128_t a = all(0.0f), b = a;
        const float *v = value + d;
        for (u32 j = 0; j < rows; j++, v += 3 * width) {
          v128_t p = wasm_v128_load32_splat(row + j);
          a = fused(p, wasm_v128_load(v), a);
          b = fused(p, wasm_v128_load(v + 4), b);
        }
        wasm_v128_store(mixed + i * width + h * size + d, a);
        wasm_v128_store(mixed + i * width + h * size + d + 4, b);
      }
    }
  }
}

static void add(float *to, const float *what, u32 count) {
  for (u32 i = 0; i < count; i += 4) wasm_v128_store(to + i, wasm_f32x4_add(wasm_v128_load(to + i), wasm_v128_load(what + i)));
}

static void transform(const Layer *l, float *v, u32 rows, u32 width, u32 heads, const Table *bias) {
  float *mixed = wide + rows * 3 * width;  // a fourth as wide as the room of the layer's widest product
  linear(&l->qkv, v, rows, wide);
  attend(rows, width, heads, bias, mixed);
  linear_last(&l->out, mixed, rows, wide);
  add(v, wide, rows * width);
  normalise(v, rows, width, &l->after_attention);
  linear(&l->up, v, rows, wide);
  gelu(wide, rows * l->up.n);
  float *down = wide + rows * l->down.k / 2;
  linear_last(&l->down, wide, rows, down);
  add(v, down, rows * width);
  // The optimiser of onnxruntime joins this sum with its normalisation in the reader, and not in the links.
  if (bias) normalise(v, rows, width, &l->after_feed);
  else normalise_joined(v, rows, width, &l->after_feed);
}

// ---------------------------------------------------------------- the reader

EXPORT("ids") int *ids_at(void) { return ids; }
EXPORT("tags") float *tags_at(void) { return tag_scores; }
EXPORT("whole") float *whole_at(void) { return whole_scores; }
EXPORT("word_weights") float *word_weights_at(void) { return word_weights; }
EXPORT("states") float *states_at(void) { return states; }

// Reads the `count` pieces at ids().
EXPORT("read") void read_text(u32 count) {
  u32 hidden = m.hidden;
  for (u32 t = 0; t < count; t++)
    for (u32 i = 0; i < hidden; i++)
      states[t * hidden + i] = (entry(&m.word, (u32)ids[t], i) + m.type[i]) + entry(&m.position, t, i);
  normalise(states, count, hidden, &m.embedding);
  for (u32 i = 0; i < m.layers; i++) transform(&m.layer[i], states, count, hidden, m.heads, 0);
  linear(&m.tagger, states, count, tag_scores);
  for (u32 i = 0; i < hidden; i++) {
    float most = states[i];
    for (u32 t = 1; t < count; t++) most = states[t * hidden + i] > most ? states[t * hidden + i] : most;
    pooled[i] = states[i];
    pooled[hidden + i] = most;
  }
  linear(&m.whole, pooled, 1, whole_scores);
  u32 rule = 0;
  for (u32 i = 1; i < m.access; i++) if (whole_scores[i] > whole_scores[rule]) rule = i;
  const float *towards = m.access_weight + rule * hidden;
  for (u32 t = 0; t < count; t++) {
    float sum = 0.0f;
    for (u32 i = 0; i < hidden; i++)
      if (states[t * hidden + i] == pooled[hidden + i]) sum += states[t * hidden + i] * (towards[i] - m.access_weight[i]);
    word_weights[t] = sum;
  }
}

// ---------------------------------------------------------------- mentions

EXPORT("firsts") int *firsts_at(void) { return firsts; }
EXPORT("lasts") int *lasts_at(void) { return lasts; }
EXPORT("kinds") int *kinds_at(void) { return kinds; }
EXPORT("places") int *places_at(void) { return places; }
EXPORT("lines") int *lines_at(void) { return lines; }
EXPORT("marks") int *marks_at(void) { return marks; }
EXPORT("said") float *said_at(void) { return said; }

// Scores of `n` mentions of the text that was read last. Of each lie in their places: its first and last piece, its kind, the
// number of its first word, of its sentence, and how many mentions of entities stand before it. Pairs are worked out by pair_row()
// as they are asked for.
EXPORT("link") void link(u32 n) {
  u32 hidden = m.hidden, width = m.width;
  mentions = n;
  // The mean of a mention is the difference of two running sums, as in the graph.
  float *all = wide;
  for (u32 i = 0; i < n; i++) {
    float *to = all + i * 4 * hidden;
    for (u32 d = 0; d < hidden; d++) {
      to[d] = states[(u32)firsts[i] * hidden + d];
      to[hidden + d] = states[(u32)lasts[i] * hidden + d];
      to[3 * hidden + d] = states[d];
    }
  }
  for (u32 d = 0; d < hidden; d++) {
    row[0] = 0.0f;
    u32 known = 0;
    for (u32 i = 0; i < n; i++) {
      u32 first = (u32)firsts[i], end = (u32)lasts[i] + 1;
      for (; known < end; known++) row[known + 1] = row[known] + states[known * hidden + d];
      all[i * 4 * hidden + 2 * hidden + d] = (row[end] - row[first]) / (float)(end - first);
    }
  }
  linear_last(&m.enter, all, n, begun);
  gelu(begun, n * width);
  for (u32 i = 0; i < n; i++)
    for (u32 d = 0; d < width; d++) begun[i * width + d] += entry(&m.kind, (u32)kinds[i], d);
  for (u32 i = 0; i < n * width; i++) x[i] = begun[i];
  for (u32 i = 0; i < m.link_layers; i++) transform(&m.link[i], x, n, width, m.link_heads, m.bias);
  linear(&m.sides, x, n, sides);
  gelu(sides, n * 2 * m.pair_width);
  u32 side = m.pair_width;
  for (u32 half = 0; half < 2; half++) {
    for (u32 i = 0; i < n; i++)
      for (u32 d = 0; d < side; d++) wide[i * side + d] = sides[i * 2 * side + half * side + d];
    linear_last(half ? &m.right_score : &m.left_score, wide, n, half ? right_scores : left_scores);
  }
  for (u32 i = 0; i < n; i++)
    for (u32 d = 0; d < width; d++) {
      wide[i * 2 * width + d] = begun[i * width + d];
      wide[i * 2 * width + width + d] = x[i * width + d];
    }
  linear_last(&m.said, wide, n, said);
}

// How many rows of pairs are kept at once for `n` mentions.
EXPORT("pair_slots") u32 pair_slots(u32 n) { return pair_bytes / (n * m.labels * 4); }

// Works out e to the scores of mention i towards each mention, [n][labels], into a slot, and says where it lies. The number of
// labels is a multiple of 4.
EXPORT("pair_row") float *pair_row(u32 i, u32 slot) {
  u32 n = mentions, side = m.pair_width, labels = m.labels;
  float *out = pair_rows + slot * n * labels;
  const float *left = sides + i * 2 * side;
  // columns[e][label] = the left side of i through the form of that label.
  for (u32 k = 0; k < labels; k++)
    for (u32 e = 0; e < side; e += 4) {
      v128_t sum = all(0.0f);
      float four[4];
      const float *b = m.biaffine + k * side * side + e;
      for (u32 d = 0; d < side; d++, b += side) sum = fused(wasm_v128_load32_splat(left + d), wasm_v128_load(b), sum);
      wasm_v128_store(four, sum);
      for (u32 c = 0; c < 4; c++) columns[(e + c) * labels + k] = four[c];
    }
  for (u32 j = 0; j < n; j++) {
    const float *right = sides + j * 2 * side + side;
    Pair pair = pair_of(i, j);
    for (u32 k = 0; k < labels; k += 4) {
      v128_t sum = all(0.0f);
      for (u32 e = 0; e < side; e++) sum = fused(wasm_v128_load32_splat(right + e), wasm_v128_load(columns + e * labels + k), sum);
      sum = wasm_f32x4_add(sum, wasm_v128_load(left_scores + i * labels + k));
      sum = wasm_f32x4_add(sum, wasm_v128_load(right_scores + j * labels + k));
      float moved[4];
      for (u32 c = 0; c < 4; c++) moved[c] = pair_entry(m.pair_bias, &pair, k + c);
      sum = wasm_f32x4_add(sum, wasm_v128_load(moved));
      sum = wasm_f32x4_pmin(wasm_f32x4_pmax(sum, all(-25.0f)), all(25.0f));
      wasm_v128_store(out + j * labels + k, exp4(sum));
    }
  }
  return out;
}
