// Loops at the end of a text that grows: the same block of bytes again and again.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace orchestrator {

// The end of a text as a loop: its last `length` bytes have the period `period`, that is, each of
// them but the first `period` equals the one `period` places before it.
struct Loop {
  std::size_t period;
  std::size_t length;

  bool operator==(const Loop&) const = default;
};

// Takes a text piece by piece and says when its end has become a loop: of a period p of at most
// `longest` bytes, over at least p * `repeats` and at least `least` bytes. Of several periods the
// smallest counts. The memory is a small multiple of `longest`, whatever the text.
//
// A loop of period p is a run of bytes that each equal the one p places before them. Every
// `stride_` bytes, at most half of the shortest run that makes a loop, the last `stride_` bytes are
// looked for among those before them; where they are found begins a candidate, whose run is then
// followed byte by byte until it breaks. So no run that makes a loop is missed, and a byte of a
// text without loops takes `longest / stride_` comparisons. One thread at a time may add.
class LoopDetector {
 public:
  // More than this are refused as `repeats`, `least` and `longest`, to bound memory.
  static constexpr std::size_t kLargest = 65536;

  // Throws std::invalid_argument for repeats outside [2, kLargest], and for least or longest
  // outside [1, kLargest].
  LoopDetector(std::size_t repeats, std::size_t least, std::size_t longest);

  // The loop that the text is in after a byte of `piece`, the first such byte; what comes after
  // that byte is not read. nullopt where there is none.
  std::optional<Loop> add(std::string_view piece);

 private:
  struct Candidate {
    std::size_t period;
    std::size_t run;  // bytes in a row that equal the one `period` places before them
  };

  std::optional<Loop> add_byte(char byte);
  void follow(char byte);
  void look_back();
  std::size_t run_of(std::size_t period) const;
  std::size_t wanted(std::size_t period) const;
  void forget();

  std::size_t repeats_, least_, longest_, stride_;
  std::string recent_;  // the end of the text
  std::size_t until_look_;
  std::vector<Candidate> candidates_;  // by period
};

}  // namespace orchestrator
