// Bytes of UTF-8 text: ASCII classes, trimming, searching. Bytes above 127 belong to no class, so
// that any input, valid UTF-8 or not, is handled without decoding and never cut inside a character.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

// ThreadSanitizer checks the whole range a memrchr may read, which makes each short search as long
// as the text.
#if defined(__GLIBC__) && !defined(__SANITIZE_THREAD__)
#define ORCHESTRATOR_HAS_MEMRCHR 1
#include <cstring>
#else
#define ORCHESTRATOR_HAS_MEMRCHR 0
#endif

namespace orchestrator {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
constexpr bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
constexpr bool is_alpha(char c) { return is_lower(c) || is_upper(c); }
constexpr bool is_alnum(char c) { return is_digit(c) || is_alpha(c); }
constexpr bool is_multibyte(char c) { return static_cast<unsigned char>(c) >= 0x80; }
constexpr bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }
constexpr bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
constexpr char to_lower(char c) { return is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c; }
constexpr char to_upper(char c) { return is_lower(c) ? static_cast<char>(c - 'a' + 'A') : c; }

// The character at `at`, or NUL outside of the text: look-ahead without bounds checks at each use.
constexpr char char_at(std::string_view text, std::size_t at) {
  return at < text.size() ? text[at] : '\0';
}

constexpr std::string_view trim_left(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  return text;
}

constexpr std::string_view trim_right(std::string_view text) {
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

constexpr std::string_view trim(std::string_view text) { return trim_left(trim_right(text)); }

// Whether `text` begins with `prefix`, which is given in lower case, whatever the case of `text`.
constexpr bool starts_with_folded(std::string_view text, std::string_view prefix) {
  if (text.size() < prefix.size()) return false;
  for (std::size_t i = 0; i < prefix.size(); ++i) {
    if (to_lower(text[i]) != prefix[i]) return false;
  }
  return true;
}

// The same, and no letter or digit follows.
constexpr bool starts_with_word(std::string_view text, std::string_view word) {
  return starts_with_folded(text, word) && !is_alnum(char_at(text, word.size()));
}

inline std::string lowered(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = to_lower(c);
  return out;
}

// Position of the last `wanted` before `end`, or npos. Most of extraction's time is spent here, on
// text that holds nothing of interest, so the vectorised search is taken where the C library has
// one.
inline std::size_t rfind_char(std::string_view text, char wanted, std::size_t end) {
  if (end > text.size()) end = text.size();
#if ORCHESTRATOR_HAS_MEMRCHR
  const void* found = end == 0 ? nullptr : memrchr(text.data(), wanted, end);
  return found == nullptr ? std::string_view::npos
                          : static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
#else
  return end == 0 ? std::string_view::npos : text.rfind(wanted, end - 1);
#endif
}

}  // namespace orchestrator
