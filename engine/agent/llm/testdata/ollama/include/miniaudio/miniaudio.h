/* A stand-in for miniaudio, which ollama's module leaves out: every call fails, so audio input is refused. */
#pragma once
#include <cstddef>
typedef unsigned long long ma_uint64;
typedef int ma_result;
enum { MA_SUCCESS = 0, MA_ERROR = -1 };
enum { ma_format_f32 = 5, ma_encoding_format_wav = 1 };
struct ma_decoder_config {};
struct ma_decoder {};
struct ma_encoder_config {};
struct ma_encoder {};
static inline ma_decoder_config ma_decoder_config_init(int, int, int) { return {}; }
static inline ma_result ma_decoder_init_memory(const void *, size_t, ma_decoder_config *, ma_decoder *) { return MA_ERROR; }
static inline ma_result ma_decoder_get_length_in_pcm_frames(ma_decoder *, ma_uint64 *) { return MA_ERROR; }
static inline ma_result ma_decoder_read_pcm_frames(ma_decoder *, void *, ma_uint64, ma_uint64 *) { return MA_ERROR; }
static inline void ma_decoder_uninit(ma_decoder *) {}
