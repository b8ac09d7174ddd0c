// Pseudo-random numbers from hashes: the same on every machine, since keys are stored.
#pragma once

#include <cstdint>
#include <string_view>

namespace orchestrator {

// Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators": the finaliser of
// splitmix64, a bijection.
constexpr std::uint64_t mixed(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

// FNV-1a.
constexpr std::uint64_t hashed(std::string_view text) {
  std::uint64_t out = 0xcbf29ce484222325;
  for (const char c : text) out = (out ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return mixed(out);
}

// In [0.3, 3), half of them below 1; a multiple of 2^-54 that does not depend on the lowest bit.
constexpr double random_magnitude(std::uint64_t hash) {
  const double share = static_cast<double>(hash >> 11) * 0x1p-53;
  return share < 0.5 ? 0.3 + 1.4 * share : 4 * share - 1;
}

// The value of a variable at a point: positive at the first, negative at the second.
constexpr double variable_value(std::uint64_t name, std::size_t point, bool positive) {
  const std::uint64_t hash = mixed(name + point);
  const double size = random_magnitude(hash);
  const bool negative = point == 1 || (point == 2 && (hash & 1) == 1);
  return negative && !positive ? -size : size;
}

}  // namespace orchestrator
