#include "answers/units.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

#include "answers/latex.hpp"
#include "answers/number_words.hpp"
#include "text.hpp"

namespace orchestrator {
namespace {

constexpr std::size_t kMaxWords = 6;

struct Name {
  std::string_view written, name;
};

// Words and abbreviations, in lower case and singular.
constexpr std::array<Name, 75> kNames{{
    {"inch", "in"},
    {"inches", "in"},
    {"in", "in"},
    {"foot", "ft"},
    {"feet", "ft"},
    {"ft", "ft"},
    {"yard", "yd"},
    {"yd", "yd"},
    {"mile", "mi"},
    {"mi", "mi"},
    {"pound", "lb"},
    {"lb", "lb"},
    {"ounce", "oz"},
    {"oz", "oz"},
    {"ton", "ton"},
    {"tonne", "tonne"},
    {"gallon", "gal"},
    {"gal", "gal"},
    {"quart", "qt"},
    {"qt", "qt"},
    {"pint", "pt"},
    {"pt", "pt"},
    {"cup", "cup"},
    {"teaspoon", "tsp"},
    {"tsp", "tsp"},
    {"tablespoon", "tbsp"},
    {"tbsp", "tbsp"},
    {"hour", "h"},
    {"hr", "h"},
    {"h", "h"},
    {"minute", "min"},
    {"min", "min"},
    {"sec", "s"},
    {"day", "day"},
    {"week", "week"},
    {"wk", "week"},
    {"month", "month"},
    {"mo", "month"},
    {"year", "year"},
    {"yr", "year"},
    {"decade", "decade"},
    {"century", "century"},
    {"centuries", "century"},
    {"dollar", "$"},
    {"usd", "$"},
    {"buck", "$"},
    {"cent", "cent"},
    {"¢", "cent"},
    {"euro", "€"},
    {"eur", "€"},
    {"€", "€"},
    {"gbp", "£"},
    {"£", "£"},
    {"yen", "¥"},
    {"jpy", "¥"},
    {"¥", "¥"},
    {"yuan", "yuan"},
    {"rmb", "yuan"},
    {"cny", "yuan"},
    {"rupee", "₹"},
    {"inr", "₹"},
    {"₹", "₹"},
    {"degree", "°"},
    {"deg", "°"},
    {"radian", "rad"},
    {"rad", "rad"},
    {"mph", "mi/h"},
    {"kmh", "km/h"},
    {"kph", "km/h"},
    {"hectare", "ha"},
    {"ha", "ha"},
    {"acre", "acre"},
    {"celsius", "°C"},
    {"fahrenheit", "°F"},
    {"kelvin", "K"},
}};

// Units that take metric prefixes, as words and as symbols.
constexpr std::array<Name, 19> kMetricWords{{{"meter", "m"},
                                             {"metre", "m"},
                                             {"gram", "g"},
                                             {"gramme", "g"},
                                             {"liter", "L"},
                                             {"litre", "L"},
                                             {"second", "s"},
                                             {"watt", "W"},
                                             {"joule", "J"},
                                             {"volt", "V"},
                                             {"newton", "N"},
                                             {"pascal", "Pa"},
                                             {"hertz", "Hz"},
                                             {"byte", "B"},
                                             {"ampere", "A"},
                                             {"amp", "A"},
                                             {"calorie", "cal"},
                                             {"mole", "mol"},
                                             {"ohm", "Ω"}}};

constexpr std::array<Name, 18> kMetricSymbols{{{"m", "m"},
                                               {"g", "g"},
                                               {"l", "L"},
                                               {"L", "L"},
                                               {"s", "s"},
                                               {"W", "W"},
                                               {"J", "J"},
                                               {"V", "V"},
                                               {"N", "N"},
                                               {"Pa", "Pa"},
                                               {"Hz", "Hz"},
                                               {"hz", "Hz"},
                                               {"A", "A"},
                                               {"cal", "cal"},
                                               {"mol", "mol"},
                                               {"Wh", "Wh"},
                                               {"wh", "Wh"},
                                               {"eV", "eV"}}};

struct Prefix {
  std::string_view word, symbol, name;
};
constexpr std::array<Prefix, 11> kPrefixes{{{"nano", "n", "n"},
                                            {"micro", "µ", "µ"},
                                            {"micro", "μ", "µ"},
                                            {"micro", "u", "µ"},
                                            {"milli", "m", "m"},
                                            {"centi", "c", "c"},
                                            {"deci", "d", "d"},
                                            {"kilo", "k", "k"},
                                            {"mega", "M", "M"},
                                            {"giga", "G", "G"},
                                            {"tera", "T", "T"}}};

constexpr std::array<Name, 6> kBytes{
    {{"kB", "kB"}, {"KB", "kB"}, {"MB", "MB"}, {"GB", "GB"}, {"TB", "TB"}, {"kb", "kB"}}};

// Symbols that touch their number and still are no product of variables.
constexpr std::array<std::string_view, 26> kAttached{
    "cm",  "mm",   "km",  "kg",   "mg",  "ml",  "ft",  "in",  "lb", "lbs", "oz", "hr", "hrs",
    "min", "mins", "sec", "secs", "mph", "kmh", "kph", "kwh", "mi", "yd",  "nm", "hz", "khz"};

// Words after a number that change what it says, so that dropping them would merge different
// answers.
constexpr std::array<std::string_view, 46> kNotUnits{
    "am",      "pm",   "a.m",  "p.m",  "or",  "and", "to",     "of",         "plus",    "minus",
    "times",   "more", "less", "than", "at",  "by",  "pi",     "sqrt",       "sin",     "cos",
    "tan",     "log",  "ln",   "exp",  "mod", "inf", "choose", "factorial",  "squared", "cubed",
    "not",     "if",   "ago",  "bc",   "ad",  "bce", "ce",     "percentage", "over",    "through",
    "o'clock", "past", "st",   "nd",   "rd",  "th"};

template <std::size_t N>
bool contains(const std::array<std::string_view, N>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

template <std::size_t N>
std::string_view name_in(const std::array<Name, N>& names, std::string_view written) {
  const auto found = std::find_if(names.begin(), names.end(),
                                  [&](const Name& entry) { return entry.written == written; });
  return found == names.end() ? std::string_view{} : found->name;
}

std::string metric(std::string_view written, bool word) {
  const auto base = [word](std::string_view rest) {
    return word ? name_in(kMetricWords, rest) : name_in(kMetricSymbols, rest);
  };
  if (const auto name = base(written); !name.empty()) return std::string(name);
  for (const Prefix& prefix : kPrefixes) {
    const std::string_view front = word ? prefix.word : prefix.symbol;
    if (!written.starts_with(front)) continue;
    const auto name = base(written.substr(front.size()));
    if (!name.empty()) return std::string(prefix.name).append(name);
  }
  return {};
}

// The one name of a unit the table knows, or nothing.
std::string known_unit(std::string_view written) {
  if (const auto bytes = name_in(kBytes, written); !bytes.empty()) return std::string(bytes);
  if (std::string name = metric(written, false); !name.empty()) return name;
  if (written.size() == 1 && is_upper(written[0])) return {};  // H is no hour, M no metre
  const std::string lower = lowered(written);
  for (std::string_view word :
       {std::string_view(lower), std::string_view(lower).substr(0, lower.size() - 1)}) {
    const bool plural = word.size() < lower.size();
    if (plural && (word.size() < 2 || lower.back() != 's')) break;
    if (const auto name = name_in(kNames, word); !name.empty()) return std::string(name);
    if (std::string name = metric(word, true); !name.empty()) return name;
  }
  return lower.size() > 1 ? metric(lower, false) : std::string{};
}

// A word that is in no table, so that one apple and two apples have one unit.
std::string free_unit(std::string_view written) {
  if (written.size() == 1) return std::string(written);
  std::string name = lowered(written);
  if (name == "people") return "person";
  if (name == "children") return "child";
  if (name.size() > 3 && name.back() == 's' && name[name.size() - 2] != 's') name.pop_back();
  return name;
}

struct Term {
  std::string name;
  int power = 1;
  bool known = false;
};

class UnitReader {
 public:
  UnitReader(std::string_view tail, UnitScope scope) : tail_(tail), scope_(scope) {}

  bool read() {
    while (at_ < tail_.size()) {
      if (!step()) return false;
    }
    return pending_ == 1 && (!under_ || spent_);
  }

  bool all_known() const {
    return std::all_of(terms_.begin(), terms_.end(), [](const Term& term) { return term.known; });
  }

  std::string name() const {
    std::string out;
    for (const Term& term : terms_) {
      if (term.power < 0) {
        out += '/';
      } else if (!out.empty()) {
        out += ' ';
      }
      out += term.name;
      const int power = term.power < 0 ? -term.power : term.power;
      if (power != 1) out.append("^").append(std::to_string(power));
    }
    return out;
  }

 private:
  char peek() const { return char_at(tail_, at_); }
  std::string_view rest() const { return tail_.substr(at_); }

  bool step() {
    const char c = peek();
    if (c == kTextMark) {
      marked_ = !marked_;
      return ++at_, true;
    }
    if (c == ' ' || c == '$') {  // a dollar sign here is the end of $...$
      attached_ = false;
      return ++at_, true;
    }
    if (c == '/' && !under_) {
      if (terms_.empty() && scope_ != UnitScope::any && !marked_) return false;
      attached_ = false;
      return under_ = true, spent_ = false, ++at_, true;
    }
    if ((c == '*' || c == '-') && !terms_.empty() && !spent_space()) return ++at_, true;
    if (rest().starts_with("°")) return degrees();
    if (c == '^') return power();
    return word();
  }

  // Whether nothing but the end follows, so that an operator here joins nothing.
  bool spent_space() const { return trim(tail_.substr(at_ + 1)).empty(); }

  bool degrees() {
    if (!terms_.empty()) return false;
    at_ += std::string_view("°").size();
    add({"°", 1, true});
    return true;
  }

  // ^2, ^{-1} and the like after a term; the mark of \text may stand between.
  bool power() {
    if (terms_.empty() || powered_) return false;
    std::size_t at = at_ + 1;
    const bool braced = char_at(tail_, at) == '{';
    if (braced) ++at;
    const bool negative = char_at(tail_, at) == '-';
    if (negative) ++at;
    const char digit = char_at(tail_, at);
    if (digit < '1' || digit > '4' || is_digit(char_at(tail_, at + 1))) return false;
    if (braced && char_at(tail_, ++at) != '}') return false;
    if (!terms_.back().known && scope_ != UnitScope::any && (digit > '3' || negative)) return false;
    terms_.back().power *= (digit - '0') * (negative ? -1 : 1);
    at_ = at + 1;
    return powered_ = true;
  }

  bool word() {
    std::size_t end = at_;
    while (is_alpha(char_at(tail_, end)) || is_multibyte(char_at(tail_, end)) ||
           char_at(tail_, end) == '.' || char_at(tail_, end) == '\'' ||
           (char_at(tail_, end) == '-' && end > at_ && is_alpha(char_at(tail_, end + 1)))) {
      ++end;
    }
    std::string_view written = tail_.substr(at_, end - at_);
    const bool letters = std::any_of(written.begin(), written.end(),
                                     [](char c) { return is_alpha(c) || is_multibyte(c); });
    if (!letters || written.starts_with("…") || ++words_ > kMaxWords) return false;
    at_ = end;
    if (written.ends_with('.')) written.remove_suffix(1);
    const std::string lower = lowered(written);
    const bool first = attached_;
    attached_ = false;
    if (lower == "per" && !under_) return under_ = true, spent_ = false, true;
    if (pending_ == 1 && (lower == "square" || lower == "sq")) return pending_ = 2, true;
    if (pending_ == 1 && (lower == "cubic" || lower == "cu")) return pending_ = 3, true;
    if (!terms_.empty() && terms_.back().known && !powered_ &&
        (lower == "squared" || lower == "cubed")) {
      terms_.back().power *= lower == "squared" ? 2 : 3;
      return powered_ = true;
    }
    if (!terms_.empty() && terms_.back().name == "°" && scale(lower)) return true;
    if (contains(kNotUnits, lower)) return false;
    Term term{known_unit(written), 1, true};
    if (!accepts(written, lower, first, !term.name.empty())) return false;
    if (term.name.empty() && is_number_word(lower)) return false;  // five hundredths, 3 halves
    if (term.name.empty()) term = {free_unit(written), 1, false};
    return add(std::move(term)), true;
  }

  // Celsius or Fahrenheit after degrees.
  bool scale(std::string_view lower) {
    const bool celsius = lower == "c" || lower == "celsius";
    if (!celsius && lower != "f" && lower != "fahrenheit") return false;
    terms_.back().name = celsius ? "°C" : "°F";
    return true;
  }

  bool accepts(std::string_view written, std::string_view lower, bool attached, bool known) const {
    if (marked_) return true;
    const bool variable =
        attached && written.size() == 1 && std::string_view("xyzn").find(written[0]) != npos;
    if (scope_ == UnitScope::any) return !variable;
    const bool symbol = known && written.size() == 1 &&
                        (scope_ == UnitScope::symbols ||
                         (under_ && !spent_ && !terms_.empty() && terms_.back().known));
    if (symbol) return true;
    // "45 degrees north" is more than 45.
    if (!known && !terms_.empty() && terms_.back().name == "°") return false;
    if (attached) return contains(kAttached, lower);
    if (written.size() < 2) return false;
    const auto lower_case = [](char c) {
      return is_lower(c) || is_multibyte(c) || c == '-' || c == '\'' || c == '.';
    };
    return std::all_of(written.begin(), written.end(), lower_case) ||
           (known && std::any_of(written.begin(), written.end(), is_lower));
  }

  void add(Term term) {
    term.power = under_ ? -pending_ : pending_;
    pending_ = 1;
    spent_ = true;
    under_ = false;
    powered_ = false;
    terms_.push_back(std::move(term));
  }

  static constexpr auto npos = std::string_view::npos;

  std::string_view tail_;
  UnitScope scope_;
  std::size_t at_ = 0, words_ = 0;
  bool marked_ = false;
  bool attached_ = true;  // nothing stands between the number and here
  bool under_ = false;    // the next term is divided by
  bool spent_ = true;     // the last "/" or "per" has its term
  bool powered_ = false;  // the last term has its power
  int pending_ = 1;       // the power that "square" or "cubic" gives the next term
  std::vector<Term> terms_;
};

}  // namespace

std::optional<std::string> parse_unit(std::string_view tail, UnitScope scope) {
  if (tail.empty()) return std::string{};
  UnitReader reader(tail, scope);
  return reader.read() ? std::optional(reader.name()) : std::nullopt;
}

bool only_known_units(std::string_view tail, UnitScope scope) {
  if (tail.empty()) return true;
  UnitReader reader(tail, scope);
  return reader.read() && reader.all_known();
}

}  // namespace orchestrator
