/*
 * Raffaello Giulietti's Schubfach ("The Schubfach way to render doubles", 2020),
 * after Alexander Bolz's version of it.  The numbers that round to a double lie
 * between two bounds; k is chosen such that multiples of 10^k are the coarsest
 * that cannot all miss that interval, so at most a few multiples of 10^k and
 * 10^(k+1) beside the value have to be looked at.
 */
#include "exporter/shortest.h"

#include <stdbool.h>
#include <string.h>

#define SIGNIFICAND_BITS 52
#define EXPONENT_BIAS (1023 + SIGNIFICAND_BITS)
#define HIDDEN_BIT (UINT64_C(1) << SIGNIFICAND_BITS)

#define POWER_STEP 27
#define POWER_FIRST (-297)

typedef unsigned __int128 uint128;

/* The first 192 bits, highest word first, of every 27th power of ten. */
struct power {
	uint64_t words[3];
};

static const struct power powers[] = {
	{{0xa76c582338ed2621, 0xaf2af2b80af6f24e, 0x657c8f4d43323a36}}, /* 10^-297 */
	{{0x873e4f75e2224e68, 0x5a7744a6e804a291, 0xcc35eddfcf0996d7}}, /* 10^-270 */
	{{0xda7f5bf590966848, 0xaf39a475506a899e, 0xa30294cc2934e662}}, /* 10^-243 */
	{{0xb080392cc4349dec, 0xbd8d794d96aacfb3, 0xfe13a5c86af64418}}, /* 10^-216 */
	{{0x8e938662882af53e, 0x547eb47b7282ee9c, 0x41b0230e1421487d}}, /* 10^-189 */
	{{0xe65829b3046b0afa, 0x0cb4a5a3112a5112, 0xa3b561b1cb208396}}, /* 10^-162 */
	{{0xba121a4650e4ddeb, 0x92f34d62616ce413, 0x21a0183e10583cd3}}, /* 10^-135 */
	{{0x964e858c91ba2655, 0x3a6a07f8d510f86f, 0xe9082f25e9c5e9ec}}, /* 10^-108 */
	{{0xf2d56790ab41c2a2, 0xfae27299423fb9c3, 0x3695dad7e8858901}}, /* 10^-81 */
	{{0xc428d05aa4751e4c, 0xaa97e14c3c26b886, 0x96842dc95323f5a8}}, /* 10^-54 */
	{{0x9e74d1b791e07e48, 0x775ea264cf55347d, 0xca49f1c05120c9c7}}, /* 10^-27 */
	{{0x8000000000000000, 0x0000000000000000, 0x0000000000000000}}, /* 10^0 */
	{{0xcecb8f27f4200f3a, 0x0000000000000000, 0x0000000000000000}}, /* 10^27 */
	{{0xa70c3c40a64e6c51, 0x999090b65f67d924, 0x0000000000000000}}, /* 10^54 */
	{{0x86f0ac99b4e8dafd, 0x69a028bb3ded71a3, 0xdf9f915627c04e28}}, /* 10^81 */
	{{0xda01ee641a708de9, 0xe80e6f4820cc9495, 0xd74baad03bc1d8d3}}, /* 10^108 */
	{{0xb01ae745b101e9e4, 0x5ec05dcff72e7f8f, 0xc04c79ffe324301f}}, /* 10^135 */
	{{0x8e41ade9fbebc27d, 0x14588f13be847307, 0x23bd6a2059c002f5}}, /* 10^162 */
	{{0xe5d3ef282a242e81, 0x8f1668c8a86da5fa, 0xf0b5ccf5176ecc7c}}, /* 10^189 */
	{{0xb9a74a0637ce2ee1, 0x6d953e2bd7173692, 0x88efb0037ac08bde}}, /* 10^216 */
	{{0x95f83d0a1fb69cd9, 0x4abdaf101564f98e, 0x0d5a4af7b3a98e47}}, /* 10^243 */
	{{0xf24a01a73cf2dccf, 0xbc633b39673c8cec, 0x3d9c44cd2f36917c}}, /* 10^270 */
	{{0xc3b8358109e84f07, 0x0a862f80ec4700c8, 0x02606ea01029dc37}}, /* 10^297 */
	{{0x9e19db92b4e31ba9, 0x6c07a2c26a8346d1, 0x4944d9f52cd0dec2}}, /* 10^324 */
};

static const uint64_t fives[POWER_STEP] = {
	/* 5^0 to 5^26 */
	1,
	5,
	25,
	125,
	625,
	3125,
	15625,
	78125,
	390625,
	1953125,
	9765625,
	48828125,
	244140625,
	1220703125,
	UINT64_C(6103515625),
	UINT64_C(30517578125),
	UINT64_C(152587890625),
	UINT64_C(762939453125),
	UINT64_C(3814697265625),
	UINT64_C(19073486328125),
	UINT64_C(95367431640625),
	UINT64_C(476837158203125),
	UINT64_C(2384185791015625),
	UINT64_C(11920928955078125),
	UINT64_C(59604644775390625),
	UINT64_C(298023223876953125),
	UINT64_C(1490116119384765625),
};

static int floor_log2_pow10(int e)
{
	return (e * 1741647) >> 19;
}

/*
 * The first 128 bits of 10^e, rounded up; exact where they hold the power.
 * The third word of the table is there so that this comes out right for every
 * e from -292 to 324.
 */
static uint128 pow10_bits(int e)
{
	const struct power *base = &powers[(e - POWER_FIRST) / POWER_STEP];
	uint64_t five = fives[(e - POWER_FIRST) % POWER_STEP];
	uint128 low = (uint128)base->words[2] * five;
	uint128 middle = (uint128)base->words[1] * five + (low >> 64);
	uint128 high = (uint128)base->words[0] * five + (middle >> 64);
	uint64_t words[2] = {(uint64_t)middle, (uint64_t)low};
	int spare;

	/* 256 bits: high, words[0], words[1]; the top `spare` ones are zero. */
	if (high >> 64 == 0) {
		high = high << 64 | words[0];
		words[0] = words[1];
		words[1] = 0;
	}
	spare = __builtin_clzll((uint64_t)(high >> 64));
	if (spare > 0) {
		high = high << spare | words[0] >> (64 - spare);
		words[0] = words[0] << spare | words[1] >> (64 - spare);
		words[1] <<= spare;
	}
	return high + ((words[0] | words[1]) != 0);
}

/* The product's bits above 2^128; its last bit says whether any lie below. */
static uint64_t multiply_to_odd(uint128 power, uint64_t factor)
{
	uint128 low = (uint128)(uint64_t)power * factor;
	uint128 high = (uint128)(uint64_t)(power >> 64) * factor + (low >> 64);

	return (uint64_t)(high >> 64) | ((uint64_t)high > 1);
}

/* What rounds to c * 2^q; in units of 10^k, times 4. */
struct interval {
	uint64_t lower, value, upper; /* the bounds belong to it */
	int k;
};

static struct interval interval_of(uint64_t c, int q, bool lower_is_closer)
{
	/* 1262611 / 2^22 is log10(2), 524031 / 2^22 is -log10(3/4). */
	int k = (q * 1262611 - (lower_is_closer ? 524031 : 0)) >> 22;
	int shift = q + floor_log2_pow10(-k) + 1;
	uint128 power = pow10_bits(-k);
	uint64_t open = c & 1; /* a tie rounds to the even significand */

	return (struct interval){
		.lower =
			multiply_to_odd(power, (4 * c - 2 + lower_is_closer) << shift) +
			open,
		.value = multiply_to_odd(power, 4 * c << shift),
		.upper = multiply_to_odd(power, (4 * c + 2) << shift) - open,
		.k = k,
	};
}

static struct decimal choose(struct interval in)
{
	uint64_t down = in.value / 4, coarse = down / 10;
	bool down_in = in.lower <= 4 * down, up_in = 4 * down + 4 <= in.upper;
	bool coarse_down_in = in.lower <= 40 * coarse;
	bool coarse_up_in = 40 * coarse + 40 <= in.upper;

	if (down >= 10 && coarse_down_in != coarse_up_in)
		return (struct decimal){coarse + coarse_up_in, in.k + 1};
	if (down_in != up_in)
		return (struct decimal){down + up_in, in.k};
	/* Both round to the double, or neither is shorter: the closer, or the even. */
	return (struct decimal){down + (in.value > 4 * down + 2 ||
					(in.value == 4 * down + 2 && (down & 1) != 0)),
				in.k};
}

struct decimal shortest_decimal(double value)
{
	uint64_t bits, significand;
	int exponent;

	memcpy(&bits, &value, sizeof(bits));
	significand = bits & (HIDDEN_BIT - 1);
	exponent = (int)(bits >> SIGNIFICAND_BITS & 0x7FF);
	if (exponent == 0)
		return choose(interval_of(significand, 1 - EXPONENT_BIAS, false));
	return choose(interval_of(significand | HIDDEN_BIT, exponent - EXPONENT_BIAS,
				  significand == 0 && exponent > 1));
}
