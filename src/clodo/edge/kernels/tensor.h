// Tensor kernels that all models share: memory, vectors, quantised activations and the products with quantised weights.
//
// A weight matrix of M rows and K columns lies in groups of 8 rows ("R8"): for each group, for each block of 32 columns, the
// scales of the 8 rows (f16), then the columns, four of one row side by side, so that one vector holds 4 columns of 4 rows
// and a dot product of bytes needs no sum across lanes. M is a multiple of 8 (rows of zeros are added), K of 32.
//
//   Q4_0  144 bytes = f16 d[8]           | 8 vectors of nibbles      w = d * (q - 8)
//   Q4_1  160 bytes = f16 d[8], f16 m[8] | 8 vectors of nibbles      w = d * q + m
//   Q8_0  272 bytes = f16 d[8]           | 16 vectors of bytes       w = d * q
//
//   nibbles: vector 2p + h, byte 4r + i: row 4h + r, column 8p + i in the low half and 8p + 4 + i in the high half
//   bytes:   vector 2p + h, byte 4r + i: row 4h + r, column 4p + i
//
// Only Q4_0 has scales below 0. No scale is a subnormal of f16 (whoever packs the weights sees to it): such numbers halve the speed.
#pragma once
#include <wasm_simd128.h>

typedef unsigned char u8;
typedef signed char i8;
typedef unsigned short u16;
typedef int i32;
typedef unsigned int u32;
typedef float f32;
typedef v128_t vec;

#define EXPORT(name) __attribute__((export_name(#name)))
#define INLINE static inline __attribute__((always_inline))

// ---- memory -----------------------------------------------------------------------------------------------------------

extern u8 __heap_base;
static u32 heap_top;

// Memory that lives as long as the instance, at 16 bytes; 0 where there is no more.
static inline void *allocate(u32 bytes) {
  if (heap_top == 0) heap_top = ((u32)&__heap_base + 15) & ~15u;
  u32 at = heap_top, end = at + ((bytes + 15) & ~15u);
  if (end < at) return 0;
  u32 pages = (end + 65535) >> 16, have = __builtin_wasm_memory_size(0);
  if (pages > have && __builtin_wasm_memory_grow(0, pages - have) == (__SIZE_TYPE__)-1) return 0;
  heap_top = end;
  return (void *)at;
}

// ---- vectors ----------------------------------------------------------------------------------------------------------

#define splat wasm_f32x4_splat
#define load wasm_v128_load
#define store wasm_v128_store

// a * b + c
INLINE vec fused(vec a, vec b, vec c) {
#ifdef RELAXED
  return wasm_f32x4_relaxed_madd(a, b, c);
#else
  return wasm_f32x4_add(wasm_f32x4_mul(a, b), c);
#endif
}

INLINE f32 total(vec v) {
  v = wasm_f32x4_add(v, wasm_i32x4_shuffle(v, v, 2, 3, 0, 1));
  v = wasm_f32x4_add(v, wasm_i32x4_shuffle(v, v, 1, 0, 3, 2));
  return wasm_f32x4_extract_lane(v, 0);
}

INLINE f32 largest(vec v) {
  v = wasm_f32x4_max(v, wasm_i32x4_shuffle(v, v, 2, 3, 0, 1));
  v = wasm_f32x4_max(v, wasm_i32x4_shuffle(v, v, 1, 0, 3, 2));
  return wasm_f32x4_extract_lane(v, 0);
}

INLINE f32 square_root(f32 x) { return wasm_f32x4_extract_lane(wasm_f32x4_sqrt(splat(x)), 0); }

// e^x, to about 2e-7 of itself; what would over- or underflow is held at e^±87.
INLINE vec exponential(vec x) {
  x = wasm_f32x4_max(wasm_f32x4_min(x, splat(87.f)), splat(-87.f));
  vec z = wasm_f32x4_mul(x, splat(1.44269504f)), n = wasm_f32x4_nearest(z);
  // The remainder of x itself, ln 2 in two parts: z carries a rounding error that grows with x.
  vec f = wasm_f32x4_sub(wasm_f32x4_sub(x, wasm_f32x4_mul(n, splat(0.693359375f))), wasm_f32x4_mul(n, splat(-2.12194440e-4f)));
  vec p = splat(1.9875691500e-4f);
  p = fused(p, f, splat(1.3981999507e-3f));
  p = fused(p, f, splat(8.3334519073e-3f));
  p = fused(p, f, splat(4.1665795894e-2f));
  p = fused(p, f, splat(1.6666665459e-1f));
  p = fused(p, f, splat(5.0000001201e-1f));
  p = wasm_f32x4_add(fused(wasm_f32x4_mul(f, f), p, f), splat(1.f));
  return wasm_i32x4_add(p, wasm_i32x4_shl(wasm_i32x4_trunc_sat_f32x4(n), 23));
}

// ---- f16 --------------------------------------------------------------------------------------------------------------

// Moving the bits of a f16 to where f32 has them gives the number times 2^-112. The other factor of a product makes up for it.
#define F16_GAIN 0x1p112f

INLINE vec halves_to_scaled(const u16 *p) {
  return wasm_v128_and(wasm_i32x4_shl(wasm_i32x4_load16x4(p), 13), wasm_i32x4_const_splat((i32)0x8fffffff));
}

// The same where none is negative.
INLINE vec positive_halves_to_scaled(const u16 *p) { return wasm_i32x4_shl(wasm_u32x4_load16x4(p), 13); }

INLINE f32 half_to_float(u16 h) {
  union { u32 bits; f32 value; } c = {((u32)(h & 0x7fff) << 13) | ((u32)(h & 0x8000) << 16)};
  return c.value * F16_GAIN;
}

// Four f32 to f16, to the nearest (ties to even) in the low half of each lane. What f16 cannot hold becomes its largest number,
// and what would be subnormal becomes 0.
INLINE vec floats_to_halves(vec x) {
  vec size = wasm_v128_and(x, wasm_i32x4_const_splat(0x7fffffff));
  vec kept = wasm_i32x4_ge(size, wasm_i32x4_const_splat(0x38800000));
  size = wasm_i32x4_min(size, wasm_i32x4_const_splat(0x477fe000));
  vec odd = wasm_v128_and(wasm_u32x4_shr(size, 13), wasm_i32x4_const_splat(1));
  vec rounded = wasm_u32x4_shr(wasm_i32x4_add(size, wasm_i32x4_add(odd, wasm_i32x4_const_splat(0xfff))), 13);
  vec half = wasm_v128_and(wasm_i32x4_sub(rounded, wasm_i32x4_const_splat(112 << 10)), kept);
  return wasm_v128_or(half, wasm_v128_and(wasm_u32x4_shr(x, 16), wasm_i32x4_const_splat(0x8000)));
}

// n floats (a multiple of 8) to f16.
static inline void store_halves(u16 *to, const f32 *from, i32 n) {
  for (i32 i = 0; i < n; i += 8)
    store(to + i, wasm_u16x8_narrow_i32x4(floats_to_halves(load(from + i)), floats_to_halves(load(from + i + 4))));
}

// ---- activations ------------------------------------------------------------------------------------------------------

// 32 numbers in 8 bits: x = d * q with |q| <= 127. Both factors carry F16_GAIN, for they meet scales of weights.
typedef struct { i8 q[32]; f32 d, sum; } Block;

static inline void quantise(const f32 *x, Block *out, i32 n) {
  for (i32 b = 0; b < n / 32; b++, x += 32, out++) {
    vec v[8], top = splat(0.f);
    for (i32 i = 0; i < 8; i++) { v[i] = load(x + 4 * i); top = wasm_f32x4_max(top, wasm_f32x4_abs(v[i])); }
    f32 size = largest(top);
    vec inverse = splat(size > 1e-30f ? 127.f / size : 0.f), sum = wasm_i32x4_const_splat(0);
    for (i32 i = 0; i < 8; i++) {
      v[i] = wasm_i32x4_trunc_sat_f32x4(wasm_f32x4_nearest(wasm_f32x4_mul(v[i], inverse)));
      sum = wasm_i32x4_add(sum, v[i]);
    }
    for (i32 i = 0; i < 2; i++)
      store(out->q + 16 * i, wasm_i8x16_narrow_i16x8(wasm_i16x8_narrow_i32x4(v[4 * i], v[4 * i + 1]), wasm_i16x8_narrow_i32x4(v[4 * i + 2], v[4 * i + 3])));
    f32 d = size / 127.f;
    out->d = d * F16_GAIN;
    out->sum = d * total(wasm_f32x4_convert_i32x4(sum)) * F16_GAIN;
  }
}

// ---- products of bytes ------------------------------------------------------------------------------------------------

// Sums of products for 4 rows. Relaxed SIMD has one instruction for it; base SIMD keeps two sums for each row.
#ifdef RELAXED
typedef struct { vec v; } Sums;
#define NO_SUMS {wasm_i32x4_const_splat(0)}
// 8 columns. A lane of 16 bits takes 16 products of a block's 32 columns, each at most 127 * 15: 30480, which fits.
INLINE void add_nibbles(Sums *s, vec x0, vec x1, vec low, vec high) {
  s->v = wasm_i16x8_add(s->v, wasm_i16x8_add(wasm_i16x8_relaxed_dot_i8x16_i7x16(x0, low), wasm_i16x8_relaxed_dot_i8x16_i7x16(x1, high)));
}
INLINE vec nibble_sums(Sums s) { return wasm_i32x4_extadd_pairwise_i16x8(s.v); }
// 4 columns. The second operand of the instruction must not be negative, so the weight's sign moves over to x.
INLINE void add_bytes(Sums *s, vec x, vec size, vec negative) {
  s->v = wasm_i32x4_relaxed_dot_i8x16_i7x16_add(wasm_i8x16_sub(wasm_v128_xor(x, negative), negative), size, s->v);
}
INLINE vec byte_sums(Sums s) { return s.v; }
#else
typedef struct { vec low, high; } Sums;
#define NO_SUMS {wasm_i32x4_const_splat(0), wasm_i32x4_const_splat(0)}
INLINE void add_products(Sums *s, vec x, vec w) {
  vec wide = wasm_i16x8_extend_low_i8x16(x);  // x is 4 numbers over and over: its halves are alike
  s->low = wasm_i32x4_add(s->low, wasm_i32x4_dot_i16x8(wide, wasm_i16x8_extend_low_i8x16(w)));
  s->high = wasm_i32x4_add(s->high, wasm_i32x4_dot_i16x8(wide, wasm_i16x8_extend_high_i8x16(w)));
}
INLINE void add_nibbles(Sums *s, vec x0, vec x1, vec low, vec high) { add_products(s, x0, low); add_products(s, x1, high); }
INLINE void add_bytes(Sums *s, vec x, vec w, vec unused) { (void)unused; add_products(s, x, w); }
INLINE vec byte_sums(Sums s) {
  return wasm_i32x4_add(wasm_i32x4_shuffle(s.low, s.high, 0, 2, 4, 6), wasm_i32x4_shuffle(s.low, s.high, 1, 3, 5, 7));
}
INLINE vec nibble_sums(Sums s) { return byte_sums(s); }
#endif

// ---- matrix times vectors ---------------------------------------------------------------------------------------------

typedef enum { Q4_0 = 0, Q4_1 = 1, Q8_0 = 2 } Kind;

INLINE u32 block_bytes(Kind kind) { return kind == Q8_0 ? 272 : kind == Q4_1 ? 160 : 144; }

INLINE u32 matrix_bytes(Kind kind, i32 rows, i32 columns) {
  return (u32)((rows + 7) / 8) * (u32)(columns / 32) * block_bytes(kind);
}

// 8 rows times T vectors. x: [T][blocks], y: [T][stride] of which 8 are written. T and kind are constants where it is called.
INLINE void multiply_group(Kind kind, i32 T, const u8 *w, const Block *x, f32 *y, i32 blocks, i32 stride) {
  vec out[4][2];
  for (i32 t = 0; t < T; t++) out[t][0] = out[t][1] = splat(0.f);
  for (i32 b = 0; b < blocks; b++, w += block_bytes(kind)) {
    const vec *q = (const vec *)(w + (kind == Q4_1 ? 32 : 16));
    Sums sums[4][2];
    for (i32 t = 0; t < T; t++) sums[t][0] = sums[t][1] = (Sums)NO_SUMS;
    if (kind == Q8_0) {
#pragma clang loop unroll(full)
      for (i32 p = 0; p < 8; p++)
        for (i32 h = 0; h < 2; h++) {
          vec v = load(q + 2 * p + h);
#ifdef RELAXED
          vec negative = wasm_i8x16_lt(v, wasm_i8x16_const_splat(0)), size = wasm_i8x16_abs(v);
#else
          vec negative = v, size = v;
#endif
          for (i32 t = 0; t < T; t++) add_bytes(&sums[t][h], wasm_v128_load32_splat(x[t * blocks + b].q + 4 * p), size, negative);
        }
    } else {
#pragma clang loop unroll(full)
      for (i32 p = 0; p < 4; p++)
        for (i32 h = 0; h < 2; h++) {
          vec v = load(q + 2 * p + h), mask = wasm_i8x16_const_splat(15);
          vec low = wasm_v128_and(v, mask), high = wasm_v128_and(wasm_u16x8_shr(v, 4), mask);
          for (i32 t = 0; t < T; t++) {
            const i8 *xq = x[t * blocks + b].q + 8 * p;
            add_nibbles(&sums[t][h], wasm_v128_load32_splat(xq), wasm_v128_load32_splat(xq + 4), low, high);
          }
        }
    }
    for (i32 h = 0; h < 2; h++) {
      const u16 *scales = (const u16 *)w + 4 * h;
      vec d = kind == Q4_0 ? halves_to_scaled(scales) : positive_halves_to_scaled(scales), m = splat(0.f);
      if (kind == Q4_1) m = halves_to_scaled(scales + 8);
      if (kind == Q4_0) m = wasm_f32x4_mul(d, splat(-8.f));
      for (i32 t = 0; t < T; t++) {
        const Block *xb = x + t * blocks + b;
        vec whole = kind == Q8_0 ? byte_sums(sums[t][h]) : nibble_sums(sums[t][h]);
        // d * xb->d first: the sum times xb->d alone could leave the range of f32.
        out[t][h] = fused(wasm_f32x4_convert_i32x4(whole), wasm_f32x4_mul(d, splat(xb->d)), out[t][h]);
        if (kind != Q8_0) out[t][h] = fused(m, splat(xb->sum), out[t][h]);
      }
    }
  }
  for (i32 t = 0; t < T; t++) { store(y + t * stride, out[t][0]); store(y + t * stride + 4, out[t][1]); }
}

INLINE void multiply_kind(Kind kind, const u8 *w, const Block *x, f32 *y, i32 rows, i32 columns, i32 tokens, i32 stride) {
  i32 blocks = columns / 32;
  u32 group = (u32)blocks * block_bytes(kind);
  // Groups outside, tokens inside: a group's weights come from memory once and stay in the cache for all tokens.
  for (i32 r = 0; r < rows; r += 8, w += group) {
    i32 t = 0;
    for (; t + 4 <= tokens; t += 4) multiply_group(kind, 4, w, x + t * blocks, y + t * stride + r, blocks, stride);
    const Block *rest = x + t * blocks;
    f32 *to = y + t * stride + r;
    if (tokens - t == 1) multiply_group(kind, 1, w, rest, to, blocks, stride);
    if (tokens - t == 2) multiply_group(kind, 2, w, rest, to, blocks, stride);
    if (tokens - t == 3) multiply_group(kind, 3, w, rest, to, blocks, stride);
  }
}

static __attribute__((noinline)) void multiply_q4_0(const u8 *w, const Block *x, f32 *y, i32 rows, i32 columns, i32 tokens, i32 stride) {
  multiply_kind(Q4_0, w, x, y, rows, columns, tokens, stride);
}
static __attribute__((noinline)) void multiply_q4_1(const u8 *w, const Block *x, f32 *y, i32 rows, i32 columns, i32 tokens, i32 stride) {
  multiply_kind(Q4_1, w, x, y, rows, columns, tokens, stride);
}
static __attribute__((noinline)) void multiply_q8_0(const u8 *w, const Block *x, f32 *y, i32 rows, i32 columns, i32 tokens, i32 stride) {
  multiply_kind(Q8_0, w, x, y, rows, columns, tokens, stride);
}

// y[t][r] = sum over k of w[r][k] * x[t][k]. w: [rows][columns] in R8, x: [tokens][columns / 32], y: [tokens][stride] with
// stride >= rows rounded up to 8.
static inline void multiply(Kind kind, const u8 *w, const Block *x, f32 *y, i32 rows, i32 columns, i32 tokens, i32 stride) {
  if (kind == Q8_0) multiply_q8_0(w, x, y, rows, columns, tokens, stride);
  else if (kind == Q4_1) multiply_q4_1(w, x, y, rows, columns, tokens, stride);
  else multiply_q4_0(w, x, y, rows, columns, tokens, stride);
}

// One row of a matrix as f32: an embedding.
static inline void read_row(Kind kind, const u8 *matrix, i32 row, i32 columns, f32 *out) {
  i32 blocks = columns / 32, r = row & 7, h = r >> 2, lane = 4 * (r & 3);
  const u8 *w = matrix + (u32)(row >> 3) * (u32)blocks * block_bytes(kind);
  for (i32 b = 0; b < blocks; b++, w += block_bytes(kind), out += 32) {
    f32 d = half_to_float(((const u16 *)w)[r]), m = 0.f;
    if (kind == Q4_1) m = half_to_float(((const u16 *)w)[8 + r]);
    if (kind == Q4_0) m = -8.f * d;
    const u8 *q = w + (kind == Q4_1 ? 32 : 16) + 16 * h + lane;
    for (i32 k = 0; k < 32; k++) {
      if (kind == Q8_0) out[k] = d * (f32)(i8)q[32 * (k >> 2) + (k & 3)];
      else {
        u8 pair = q[32 * (k >> 3) + (k & 3)];
        out[k] = d * (f32)((k & 4) ? pair >> 4 : pair & 15) + m;
      }
    }
  }
}

// The place of the largest of n numbers, the first where there are several.
static inline i32 place_of_largest(const f32 *x, i32 n) {
  vec tops = splat(x[0]);
  i32 i = 0;
  for (; i + 4 <= n; i += 4) tops = wasm_f32x4_max(tops, load(x + i));
  f32 top = largest(tops);
  for (; i < n; i++) if (x[i] > top) top = x[i];
  for (i = 0; i < n - 1 && x[i] != top;) i++;
  return i;
}
