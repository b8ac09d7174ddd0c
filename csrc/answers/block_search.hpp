// Searching a text from its end for bytes that pass a test on them and their neighbours.
//
// The test is computed for a block at a time without branches, which compilers turn into vector
// instructions; a text has a thousand letters and a handful of these.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "text.hpp"

namespace orchestrator {

// `Test` is called as test(before, byte, after) with unsigned bytes, 0 outside of the text, and
// returns 1 or 0.
template <typename Test>
class BlockSearch {
 public:
  BlockSearch(std::string_view text, Test test) : text_(text), test_(test), begin_(text.size()) {}

  // Position of the next byte that passes, the last one first, or npos.
  std::size_t next() {
    for (;;) {
      left_ = rfind_char(std::string_view(passed_.data(), size_), '\1', left_);
      if (left_ != std::string_view::npos) return begin_ + left_;
      if (begin_ == 0) return std::string_view::npos;
      load();
    }
  }

 private:
  static constexpr std::size_t kBlock = 512;

  void load() {
    const std::size_t end = begin_;
    size_ = std::min(begin_, kBlock);
    begin_ -= size_;
    left_ = size_;
    if (begin_ > 0 && end < text_.size()) return pass(text_.data() + begin_ - 1);
    std::array<char, kBlock + 2> bytes;  // with a neighbour to either side
    bytes[0] = begin_ == 0 ? '\0' : text_[begin_ - 1];
    std::copy_n(text_.data() + begin_, size_, bytes.data() + 1);
    bytes[size_ + 1] = char_at(text_, end);
    pass(bytes.data());
  }

  // `bytes` begin with the one before the block.
  void pass(const char* bytes) {
    const auto byte = [bytes](std::size_t at) { return static_cast<std::uint8_t>(bytes[at]); };
    for (std::size_t i = 0; i < size_; ++i)
      passed_[i] = static_cast<char>(test_(byte(i), byte(i + 1), byte(i + 2)));
  }

  std::string_view text_;
  Test test_;
  std::size_t begin_;  // of the block in the text
  std::size_t size_ = 0, left_ = 0;
  std::array<char, kBlock> passed_;
};

}  // namespace orchestrator
