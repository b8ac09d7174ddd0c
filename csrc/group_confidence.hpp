// How sure a model was while it wrote, by groups of neighbouring tokens (DeepConf: Fu et al. 2025,
// arXiv 2508.15260, section 3.1).
#pragma once

#include <cstddef>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "formulas/double_double.hpp"

namespace orchestrator {

// C_i = -1/k * sum over the k most likely tokens j of log P_i(j), in nats, at least 0.
// Probabilities of 0 (minus infinity) are left out. None without any other, and where one is no
// logarithm of a probability: NaN, above 0 by more than the rounding of single precision, or below
// -1e290.
std::optional<double> token_confidence(std::span<const double> top_logprobs);

// The confidences of a text's groups, fed token by token: a group is a window of neighbouring
// tokens and its confidence their mean; a text shorter than the window is one group.
//
// A group's sum is made of its own tokens alone, in twice the precision of a double: it does not
// drift, however long the text is and whatever has left the window, and each mean is that of exact
// arithmetic rounded once or twice. Constant time a token, amortised over a window; memory grows
// with the text up to 24 bytes for each token of the window. One thread at a time may feed it.
class GroupConfidence {
 public:
  // Throws std::invalid_argument for a window of 0.
  explicit GroupConfidence(std::size_t window);

  // More tokens, in order; however they are split into calls, the result is the same. Throws
  // std::invalid_argument, and changes nothing, unless all are in [0, 1e290].
  void feed(std::span<const double> confidences);

  std::size_t window() const { return window_; }
  std::size_t tokens() const { return tokens_; }
  bool full() const { return tokens_ >= window_; }  // whether a whole window has been seen

  // 0 before the first token.
  double current() const { return current_; }  // the last group's: the tail of the text
  double lowest() const { return full() ? lowest_ : current_; }  // the least of all groups
  double mean() const;                                           // of all tokens

 private:
  void add(double confidence);

  std::size_t window_;
  std::size_t tokens_ = 0;
  DoubleDouble total_;
  double current_ = 0;
  double lowest_ = std::numeric_limits<double>::infinity();  // of the whole windows
  // The text is cut into blocks as long as the window. Every window is the end of a block and the
  // beginning of the next: ends_[i] is the sum of the last block's tokens from i on, begun_ that of
  // the tokens since, which are block_.
  std::vector<DoubleDouble> ends_;
  std::vector<double> block_;
  DoubleDouble begun_;
};

// The confidences of all groups, from the first to the last: max(1, t - window + 1) of t tokens.
// Throws std::invalid_argument without tokens and as GroupConfidence does.
std::vector<double> group_confidences(std::span<const double> confidences, std::size_t window);

// The mean of the lowest `share` of the groups, rounded down, at least of one. Throws
// std::invalid_argument for a share outside (0, 1] and as group_confidences does.
double bottom_confidence(std::span<const double> confidences, std::size_t window, double share);

}  // namespace orchestrator
