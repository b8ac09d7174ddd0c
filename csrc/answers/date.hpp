// Dates and times of day as answers.
//
//   2021-05-01        a date: "2021-05-01", "May 1, 2021", "Saturday, 1st of May 2021"
//   2021-05           a month of a year: "May 2021"
//   --05-01           a day of a year: "May 1"
//   05/01/2021        a date in numbers with the year last, as written: it has no one reading
//   T10:30, T22:30:05 a time: "10:30", "10:30 a.m.", "10 o'clock", "10:30:05 PM", "noon"
//   2021-05-01T10:30  both: "May 1, 2021 at 10:30 AM"; "Z" or "+02:00" follows when it was written
//
// Years have four digits and are of the Gregorian calendar. A weekday that contradicts its date
// makes it unreadable, and so does a day that its month does not have.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace orchestrator {

// Which spellings are dates. `unmistakable` is for answers that may be anything else; a date in
// numbers with the year last stays as it is written there, so that it is not taken for a quotient.
// `any` is for tasks about dates: 05/01/2021 and 05-01-2021 are May 1 (the month is first, as in
// the United States, unless a number above 12 says otherwise), 05.01.2021 is January 5 (the day is
// first), 5/1/21 is 2021 (69 to 99 are 1969 to 1999, as in POSIX), 2021-5-1 is May 1 and 2021 a
// year.
enum class DateForms { unmistakable, any };

// The canonical form when all of simplified `text` is a date, a time or both.
std::optional<std::string> parse_date(std::string_view text, DateForms forms);

}  // namespace orchestrator
