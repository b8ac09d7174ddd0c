#include "answers/date.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "answers/latex.hpp"
#include "text.hpp"

namespace orchestrator {
namespace {

constexpr std::size_t kMaxLength = 80;  // no date is longer

constexpr std::array<std::string_view, 12> kMonths{"january",   "february", "march",    "april",
                                                   "may",       "june",     "july",     "august",
                                                   "september", "october",  "november", "december"};
constexpr std::array<std::string_view, 7> kWeekdays{"sunday",   "monday", "tuesday", "wednesday",
                                                    "thursday", "friday", "saturday"};

constexpr bool is_leap(int year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

int days_in(int month, int year) {
  constexpr std::array<int, 12> kDays{31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (month == 2 && year != 0 && !is_leap(year)) return 28;
  return kDays[static_cast<std::size_t>(month - 1)];
}

// 0 for Sunday (Sakamoto's method).
int weekday_of(int year, int month, int day) {
  constexpr std::array<int, 12> kOffsets{0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4};
  if (month < 3) --year;
  return (year + year / 4 - year / 100 + year / 400 +
          kOffsets[static_cast<std::size_t>(month - 1)] + day) %
         7;
}

std::string padded(int value, std::size_t width) {
  std::string digits = std::to_string(value);
  if (digits.size() < width) digits.insert(0, width - digits.size(), '0');
  return digits;
}

// Parts that were not written are 0.
struct Date {
  int year = 0, month = 0, day = 0;
  std::string_view written{};  // kept as it is: the order of month and day is not known

  bool valid() const {
    if (month == 0) return year != 0 && day == 0;
    return month <= 12 && (day == 0 ? year != 0 : day <= days_in(month, year));
  }

  std::string str() const {
    if (!written.empty()) return std::string(written);
    std::string out = year == 0 ? "-" : padded(year, 4);
    if (month != 0) out.append("-").append(padded(month, 2));
    if (day != 0) out.append("-").append(padded(day, 2));
    return out;
  }

  // Whether it is one day, to which a time and a weekday may belong.
  bool is_day() const { return year != 0 && day != 0 && written.empty(); }
};

struct Integer {
  int value = 0;
  int digits = 0;
};

class DateReader {
 public:
  DateReader(std::string_view text, DateForms forms) : text_(text), any_(forms == DateForms::any) {}

  std::optional<std::string> read() {
    if (auto both = date_then_time()) return both;
    at_ = 0;
    iso_ = false;
    return time_then_date();
  }

 private:
  char peek() const { return char_at(text_, at_); }
  bool at_end() const { return at_ == text_.size(); }

  void skip_space() {
    while (peek() == ' ') ++at_;
  }

  bool take(char wanted) { return peek() == wanted && (++at_, true); }

  bool take_word(std::string_view word) {
    if (!starts_with_word(text_.substr(at_), word)) return false;
    at_ += word.size();
    return true;
  }

  // At most four digits.
  std::optional<Integer> integer() {
    Integer out;
    std::size_t at = at_;
    for (; is_digit(char_at(text_, at)); ++at) {
      if (++out.digits > 4) return std::nullopt;
      out.value = out.value * 10 + (text_[at] - '0');
    }
    if (out.digits == 0) return std::nullopt;
    at_ = at;
    return out;
  }

  // The index of the name or of its abbreviation to three letters ("sept" and "tues" too).
  template <std::size_t N>
  std::optional<int> name(const std::array<std::string_view, N>& names) {
    std::size_t end = at_;
    while (is_alpha(char_at(text_, end))) ++end;
    const std::string written = lowered(text_.substr(at_, std::min<std::size_t>(end - at_, 10)));
    if (written.size() < 3) return std::nullopt;
    for (std::size_t i = 0; i < N; ++i) {
      const bool shortened = written.size() <= 5 && names[i].starts_with(written);
      if (written != names[i] && !shortened) continue;
      at_ = end;
      if (written.size() <= 4) take('.');
      return static_cast<int>(i);
    }
    return std::nullopt;
  }

  std::optional<std::string> date_then_time() {
    const auto day = date();
    if (!day) return std::nullopt;
    if (at_end()) return day->str();
    if (!day->is_day()) return std::nullopt;
    iso_ = peek() == 'T' || peek() == 't';
    if (iso_) {
      ++at_;
    } else {
      take(',');
      skip_space();
      if (take_word("at")) skip_space();
    }
    const auto clock = time();
    if (!clock || !at_end()) return std::nullopt;
    return day->str() + *clock;
  }

  std::optional<std::string> time_then_date() {
    const auto clock = time();
    if (!clock) return std::nullopt;
    if (at_end()) return clock;
    take(',');
    skip_space();
    if (take_word("on")) skip_space();
    const auto day = date();
    if (!day || !at_end() || !day->is_day()) return std::nullopt;
    return day->str() + *clock;
  }

  // ---- dates

  std::optional<Date> date() {
    const auto weekday = name(kWeekdays);
    if (weekday) {
      take(',');
      skip_space();
    }
    if (take_word("the")) skip_space();
    const auto found = is_digit(peek()) ? date_from_number() : date_from_month();
    if (!found || !found->valid()) return std::nullopt;
    if (weekday &&
        (!found->is_day() || weekday_of(found->year, found->month, found->day) != *weekday))
      return std::nullopt;
    return found;
  }

  // May 1, 2021 | May 1 | May 2021
  std::optional<Date> date_from_month() {
    const auto month = name(kMonths);
    if (!month) return std::nullopt;
    Date out;
    out.month = *month + 1;
    take(',');
    skip_space();
    const auto first = integer();
    if (!first) return std::nullopt;
    if (first->digits == 4) {
      out.year = first->value;
      return out.year == 0 ? std::nullopt : std::optional(out);
    }
    if (first->digits > 2 || first->value == 0) return std::nullopt;
    out.day = first->value;
    skip_suffix();
    return year_after(out);
  }

  // 1 May 2021 | 1st of May, 2021 | 01-May-2021 | three numbers | a year
  std::optional<Date> date_from_number() {
    const auto first = integer();
    if (!first) return std::nullopt;
    const char separator = peek();
    const bool numbers = is_digit(char_at(text_, at_ + 1));
    if (numbers && (separator == '-' || separator == '/' || separator == '.'))
      return date_of_numbers(*first, separator);
    if (first->digits == 4 && any_ && at_end()) return Date{first->value, 0, 0};
    if (first->digits > 2 || first->value == 0) return std::nullopt;
    skip_suffix();
    const bool hyphen = take('-');
    skip_space();
    if (!hyphen && take_word("of")) skip_space();
    const auto month = name(kMonths);
    if (!month) return std::nullopt;
    Date out;
    out.day = first->value;
    out.month = *month + 1;
    if (hyphen && !take('-')) return std::nullopt;
    return year_after(out);
  }

  void skip_suffix() {
    for (const std::string_view suffix : {"st", "nd", "rd", "th"}) {
      if (take_word(suffix)) return;
    }
  }

  // [","] year after a day and a month; without one the date has none.
  std::optional<Date> year_after(Date date) {
    const std::size_t before = at_;
    take(',');
    skip_space();
    const auto year = integer();
    const bool clock = peek() == ':' || peek() == ' ';
    if (year && year->digits == 4 && year->value != 0) {
      date.year = year->value;
    } else if (year && !clock) {
      return std::nullopt;
    } else {
      at_ = before;
    }
    return date;
  }

  std::optional<Date> date_of_numbers(Integer first, char separator) {
    const auto start = at_ - static_cast<std::size_t>(first.digits);
    ++at_;
    const auto second = integer();
    if (!second || !take(separator)) return std::nullopt;
    const auto third = integer();
    if (!third || second->digits > 2) return std::nullopt;
    if (first.digits == 4) {
      if (first.value == 0) return std::nullopt;
      const bool wide = second->digits == 2 && third->digits == 2 && separator != '.';
      if (third->digits > 2 || third->value == 0 || second->value == 0 || (!wide && !any_))
        return std::nullopt;
      return Date{first.value, second->value, third->value};
    }
    if (first.digits > 2 || first.value == 0 || second->value == 0) return std::nullopt;
    int year = third->value;
    if (third->digits == 2 && any_) {
      year += year < 69 ? 2000 : 1900;
    } else if (third->digits != 4 || year == 0) {
      return std::nullopt;
    }
    // 5-1-2021 may be a difference.
    if (separator == '-' && !any_ && (first.digits < 2 || second->digits < 2)) return std::nullopt;
    Date date = ordered(first.value, second->value, year, separator);
    if (!any_) date.written = text_.substr(start, at_ - start);
    return date;
  }

  // Which of two numbers before a year is the month?
  static Date ordered(int first, int second, int year, char separator) {
    const bool month_first = second > 12 || (first <= 12 && separator != '.');
    return month_first ? Date{year, first, second} : Date{year, second, first};
  }

  // ---- times

  std::optional<std::string> time() {
    if (take_word("noon")) return "T12:00";
    if (take_word("midnight")) return "T00:00";
    const auto hour = integer();
    if (!hour || hour->digits > 2) return std::nullopt;
    int minute = 0, second = 0;
    const bool colon = take(':');
    if (colon) {
      const auto minutes = integer();
      if (!minutes || minutes->digits != 2) return std::nullopt;
      minute = minutes->value;
      if (take(':')) {
        const auto seconds = integer();
        if (!seconds || seconds->digits != 2) return std::nullopt;
        second = seconds->value;
      }
    }
    const auto hours = hour_of_day(hour->value, colon, minute);
    if (!hours || minute > 59 || second > 59) return std::nullopt;
    std::string out = "T";
    out.append(padded(*hours, 2)).append(":").append(padded(minute, 2));
    if (second != 0) out.append(":").append(padded(second, 2));
    const auto offset = zone();
    return offset ? std::optional(out.append(*offset)) : std::nullopt;
  }

  // The hour from 0 to 23, by what follows the time: o'clock, am, pm, noon.
  std::optional<int> hour_of_day(int hour, bool colon, int minute) {
    std::size_t before = at_;
    skip_space();
    bool full = colon;  // a time by itself, which an hour alone is not
    if (!colon && hour >= 1 && hour <= 12 && take_word("o'clock")) {
      full = true;
      before = at_;
      skip_space();
    }
    const char letter = to_lower(peek());
    if (letter == 'a' || letter == 'p') {
      const std::size_t dot = at_ + 1 + (char_at(text_, at_ + 1) == '.' ? 1 : 0);
      if (to_lower(char_at(text_, dot)) == 'm' && !is_alnum(char_at(text_, dot + 1))) {
        at_ = dot + 1;
        take('.');
        return half_day(hour, letter == 'p');
      }
    }
    if (hour == 12 && minute == 0 && take_word("noon")) return 12;
    if (hour == 12 && minute == 0 && take_word("midnight")) return 0;
    at_ = before;
    return full && hour < 24 ? std::optional(hour) : std::nullopt;
  }

  // 12 am is 0, 12 pm is 12; 22:30 PM says once too often what 22:30 says.
  static std::optional<int> half_day(int hour, bool afternoon) {
    if (afternoon) {
      if (hour == 0 || hour > 23) return std::nullopt;
      return hour < 12 ? hour + 12 : hour;
    }
    if (hour > 12) return std::nullopt;
    return hour == 12 ? 0 : hour;
  }

  // "Z" for Z, UTC and GMT, "+02:00" after the time of an ISO date, empty without any; none for an
  // offset that is none.
  std::optional<std::string> zone() {
    const std::size_t before = at_;
    skip_space();
    if (take_word("z") || take_word("utc") || take_word("gmt")) return std::string(1, 'Z');
    const char sign = peek();
    if (!iso_ || (sign != '+' && sign != '-')) return at_ = before, std::string{};
    ++at_;
    const auto hours = integer();
    if (!hours || hours->digits != 2 || hours->value > 14 || !take(':')) return std::nullopt;
    const auto minutes = integer();
    if (!minutes || minutes->digits != 2 || minutes->value > 59) return std::nullopt;
    if (hours->value == 0 && minutes->value == 0) return std::string(1, 'Z');
    std::string out(1, sign);
    return out.append(padded(hours->value, 2)).append(":").append(padded(minutes->value, 2));
  }

  std::string_view text_;
  bool any_;
  std::size_t at_ = 0;
  bool iso_ = false;  // after the T of 2021-05-01T10:30, where an offset is no range of times
};

}  // namespace

std::optional<std::string> parse_date(std::string_view text, DateForms forms) {
  text = trim(text);
  if (text.empty() || text.size() > kMaxLength) return std::nullopt;
  if (text.find(kTextMark) == std::string_view::npos) return DateReader(text, forms).read();
  std::string plain(text);
  std::erase(plain, kTextMark);
  return DateReader(trim(plain), forms).read();
}

}  // namespace orchestrator
