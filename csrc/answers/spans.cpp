#include "answers/spans.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "text.hpp"

namespace orchestrator {
namespace {

constexpr auto npos = std::string_view::npos;

struct Alias {
  std::string_view name, language;
};

constexpr std::array<Alias, 14> kAliases{{{"py", "python"},
                                          {"python3", "python"},
                                          {"js", "javascript"},
                                          {"node", "javascript"},
                                          {"ts", "typescript"},
                                          {"c++", "cpp"},
                                          {"cc", "cpp"},
                                          {"sh", "bash"},
                                          {"shell", "bash"},
                                          {"rs", "rust"},
                                          {"golang", "go"},
                                          {"rb", "ruby"},
                                          {"cs", "csharp"},
                                          {"c#", "csharp"}}};

std::string language_of(std::string_view info) {
  info = trim(info);
  const std::string name = lowered(info.substr(0, info.find_first_of(" \t{,:;")));
  const auto alias = std::find_if(kAliases.begin(), kAliases.end(),
                                  [&](const Alias& known) { return known.name == name; });
  return alias == kAliases.end() ? name : std::string(alias->language);
}

// Length of the fence that begins a line, or 0.
std::size_t fence(std::string_view line) {
  const char c = char_at(line, 0);
  if (c != '`' && c != '~') return 0;
  const std::size_t length = std::min(line.find_first_not_of(c), line.size());
  return length >= 3 ? length : 0;
}

// Where the tag's name ends when `text` has it at `at`, which is behind "<" or "</"; npos if not.
std::size_t after_name(std::string_view text, std::size_t at, std::string_view name) {
  if (text.size() - std::min(at, text.size()) < name.size()) return npos;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (to_lower(text[at + i]) != to_lower(name[i])) return npos;
  }
  const char next = char_at(text, at + name.size());
  return next == '>' || is_space(next) ? at + name.size() : npos;
}

// Where the contents of an opening tag at `at` begin, or npos.
std::size_t inside_of(std::string_view text, std::size_t at, std::string_view name) {
  constexpr std::size_t kMaxAttributes = 256;  // bytes
  const std::size_t end = after_name(text, at + 1, name);
  if (end == npos) return npos;
  const std::size_t close = text.substr(0, end + kMaxAttributes).find('>', end);
  return close == npos ? npos : close + 1;
}

}  // namespace

std::optional<std::string_view> last_code_block(std::string_view text, std::string_view language) {
  const std::string wanted = language_of(language);
  std::optional<std::string_view> last;
  std::size_t open = npos, length = 0;
  char mark = '\0';
  bool of_language = true;
  for (std::size_t line = 0; line < text.size();) {
    const std::size_t end = std::min(text.find('\n', line), text.size());
    const std::string_view content = trim(text.substr(line, end - line));
    if (const std::size_t here = fence(content); here > 0) {
      const std::string_view info = content.substr(here);
      if (open == npos) {
        open = std::min(end + 1, text.size());
        length = here;
        mark = content[0];
        of_language = wanted.empty() || language_of(info) == wanted;
      } else if (content[0] == mark && here >= length && info.empty()) {
        if (of_language) last = text.substr(open, line - open);
        open = npos;
      }
    }
    line = end + 1;
  }
  return last;
}

std::optional<Element> last_element(std::string_view text, std::string_view name, bool open_end) {
  std::size_t close = npos;
  for (std::size_t at = text.size(); (at = rfind_char(text, '<', at)) != npos;) {
    if (char_at(text, at + 1) == '/') {
      if (after_name(text, at + 2, name) != npos) close = at;
      continue;
    }
    const std::size_t inside = inside_of(text, at, name);
    if (inside == npos) continue;
    if (close != npos && inside <= close)
      return Element{text.substr(inside, close - inside), at, true};
    if (close == npos && open_end) return Element{text.substr(inside), at, false};
  }
  return std::nullopt;
}

std::vector<std::string_view> json_spans(std::string_view text, std::size_t limit) {
  std::vector<std::size_t> open;
  std::vector<std::pair<std::size_t, std::size_t>> spans;  // outermost so far
  bool in_string = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (in_string) {
      if (c == '\\') ++at;
      if (c == '"' || c == '\n')
        in_string = false;  // JSON strings do not span lines: that quote was prose
      continue;
    }
    if (c == '"') in_string = !open.empty();
    if (c == '{' || c == '[') open.push_back(at);
    if ((c == '}' || c == ']') && !open.empty()) {
      const std::size_t begin = open.back();
      open.pop_back();
      if ((text[begin] == '{') != (c == '}')) continue;
      while (!spans.empty() && spans.back().first > begin) spans.pop_back();
      spans.emplace_back(begin, at + 1);
    }
  }
  std::vector<std::string_view> result;
  for (std::size_t i = spans.size() > limit ? spans.size() - limit : 0; i < spans.size(); ++i) {
    result.push_back(text.substr(spans[i].first, spans[i].second - spans[i].first));
  }
  return result;
}

}  // namespace orchestrator
