// \boxed{...} and \fbox{...}: where mathematicians and models put what they mean as the answer.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace orchestrator {

struct Box {
  std::string content;    // as written; of several boxes that are one answer, "1, -2"
  std::size_t begin = 0;  // of the (first) box's command
};

struct BoxSearch {
  std::optional<Box> box;
  bool opened = false;  // one opened, whether or not one closed
  bool at_end = false;  // an unbraced box (\boxed 5) that ends where the text does
};

// The last box that closes and is not empty. Boxes with nothing but commas, semicolons, "and",
// "or", math delimiters, spaces and names ("y_2 =") between them are one answer, a list; any other
// word breaks the chain. Over-escaped \\boxed is a box too. Linear in the text's length.
BoxSearch find_box(std::string_view text);

}  // namespace orchestrator
