// Random numbers by counting: a stream is a pure function of its seed and coordinates.
#pragma once

#include <cstdint>

namespace orchestrator {

// SplitMix64 (Steele, Lea and Flood 2014): the state is a counter, so what a stream yields does not
// depend on which thread asks, or on what other streams have yielded. Not for cryptography.
class RandomStream {
 public:
  // A stream of its own for every (seed, a, b, c).
  RandomStream(std::uint64_t seed, std::uint64_t a, std::uint64_t b = 0, std::uint64_t c = 0)
      : state_(mix(mix(mix(mix(seed) + a) + b) + c)) {}

  std::uint64_t next() { return mix(state_ += kStep); }

  // Uniform in [0, bound), without bias (Lemire 2019, arXiv 1805.10941); `bound` at least 1.
  std::uint32_t below(std::uint32_t bound) {
    std::uint64_t product = (next() >> 32) * bound;
    if (static_cast<std::uint32_t>(product) < bound) {
      const std::uint32_t uneven = (0U - bound) % bound;
      while (static_cast<std::uint32_t>(product) < uneven) product = (next() >> 32) * bound;
    }
    return static_cast<std::uint32_t>(product >> 32);
  }

 private:
  static constexpr std::uint64_t kStep = 0x9e3779b97f4a7c15;

  static constexpr std::uint64_t mix(std::uint64_t x) {
    x += kStep;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
  }

  std::uint64_t state_;
};

}  // namespace orchestrator
