// Where words begin and end in UTF-8 text of any script, without decoding it.
//
// Letters of alphabets that are written with spaces between words (Latin, Greek, Cyrillic and their
// neighbours) join into words; Chinese, Japanese, Korean, Thai and the like set a Latin letter or a
// digit apart by their script alone: the B of 答案是B stands by itself.
#pragma once

#include <cstddef>
#include <string_view>

#include "text.hpp"

namespace orchestrator {

// Whether the character that begins at `at` is a letter or digit that joins into words.
constexpr bool joins_at(std::string_view text, std::size_t at) {
  const char c = char_at(text, at);
  if (!is_multibyte(c)) return is_alnum(c);
  const auto lead = static_cast<unsigned char>(c);
  if (lead >= 0xc3 && lead <= 0xd4) return !(lead == 0xc3 && (char_at(text, at + 1) == '\x97'));
  const auto second = static_cast<unsigned char>(char_at(text, at + 1));
  return lead == 0xe1 && second >= 0xb8 && second <= 0xbf;  // Latin and Greek with more accents
}

// The same of the character that ends before `at`.
constexpr bool joins_before(std::string_view text, std::size_t at) {
  if (at == 0 || at > text.size()) return false;
  constexpr std::size_t kLongest = 4;  // bytes of a character
  std::size_t begin = at - 1;
  while (begin > 0 && at - begin < kLongest &&
         (static_cast<unsigned char>(text[begin]) & 0xc0) == 0x80) {
    --begin;
  }
  return joins_at(text, begin);
}

// Whether `word` stands at `at` by itself, in any case of its ASCII letters (given in lower case).
constexpr bool whole_word_at(std::string_view text, std::size_t at, std::string_view word) {
  return at <= text.size() && starts_with_folded(text.substr(at), word) &&
         !joins_before(text, at) && !joins_at(text, at + word.size());
}

}  // namespace orchestrator
