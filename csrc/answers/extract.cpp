#include "answers/extract.hpp"

#include <algorithm>
#include <future>
#include <thread>
#include <utility>

#include "answers/boxes.hpp"
#include "answers/marks.hpp"
#include "answers/spans.hpp"
#include "answers/thinking.hpp"
#include "answers/unmarked.hpp"
#include "text.hpp"

namespace orchestrator {
namespace {

constexpr auto npos = std::string_view::npos;
constexpr std::size_t kBytesPerThread = 1 << 20;  // less is read sooner than a thread starts

std::optional<Extracted> extract_code(std::string_view text) {
  const auto block = last_code_block(text);
  if (!block || trim(*block).empty()) return std::nullopt;
  return Extracted{std::string(*block), normalize(*block, Kind::code)};
}

// What is more than words: a number, a formula, a choice.
bool is_plain(const Extracted& answer) { return !answer.key.starts_with("t:"); }

// A strong mark behind the box that says a number, a formula or a choice.
std::optional<Extracted> said_again(std::string_view after_box, const Reading& reading,
                                    bool truncated) {
  for (const Mark& mark : find_marks(after_box)) {
    if (!mark.strong || (truncated && !mark.complete)) continue;
    if (mark.content.find("\\boxed") != npos) continue;
    if (auto answer = read_statement(mark.content, reading); answer && is_plain(*answer))
      return answer;
  }
  return std::nullopt;
}

// The answer in `body`, which is addressed to the reader and not empty.
std::optional<Extracted> extract_from(std::string_view body, const Reading& reading,
                                      bool truncated) {
  const BoxSearch boxes = find_box(body);
  if (boxes.box && !(truncated && boxes.at_end)) {
    if (auto answer = said_again(body.substr(boxes.box->begin), reading, truncated)) return answer;
    if (auto answer = read_statement(boxes.box->content, reading)) return answer;
  }
  const std::vector<Mark> marks = find_marks(body);
  for (const Mark& mark : marks) {
    if (truncated && !mark.complete) continue;
    // "The answer is \boxed{...}": the box could not be read, and its surroundings say no more.
    if (boxes.box && mark.content.find("\\boxed") != npos) continue;
    if (auto answer = read_statement(mark.content, reading)) return answer;
  }
  return boxes.opened || !marks.empty() || truncated ? std::nullopt : read_unmarked(body, reading);
}

// How many threads are worth their start for these texts.
std::size_t threads_for(std::span<const std::optional<std::string_view>> texts) {
  std::size_t bytes = 0;
  for (const auto& text : texts) bytes += text ? text->size() : 0;
  const std::size_t cores = std::max<std::size_t>(1, std::thread::hardware_concurrency());
  return std::clamp<std::size_t>(bytes / kBytesPerThread, 1, cores);
}

}  // namespace

std::optional<Extracted> extract(std::string_view text, const Reading& reading, bool truncated) {
  const auto visible = after_thinking(text);
  if (!visible) return std::nullopt;
  if (reading.kind == Kind::code) return extract_code(*visible);
  const std::string_view body = trim(*visible);
  if (body.empty()) return std::nullopt;
  return extract_from(body, reading, truncated);
}

std::vector<std::optional<std::string>> extract_keys(
    std::span<const std::optional<std::string_view>> texts, const Reading& reading) {
  std::vector<std::optional<std::string>> keys(texts.size());
  const auto read = [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      if (auto answer = texts[i] ? extract(*texts[i], reading) : std::nullopt)
        keys[i] = std::move(answer->key);
    }
  };
  const std::size_t threads = threads_for(texts), share = texts.size() / threads;
  std::vector<std::future<void>> others;
  for (std::size_t i = 1; i < threads; ++i)
    others.push_back(std::async(std::launch::async, read, (i - 1) * share, i * share));
  read((threads - 1) * share, texts.size());
  for (std::future<void>& other : others) other.get();
  return keys;
}

}  // namespace orchestrator
