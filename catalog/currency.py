"""Currencies: the smallest unit that a price can have in each, and amounts in words.

Codes and digits are those of ISO 4217 for the national currencies in use. Funds, metals and codes for tests are left
out. A price is a whole number of smallest units; it is kept as a number of whole units, such as 1.29.
"""

from dataclasses import dataclass
from functools import lru_cache

_DIGITS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF",
    2: "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC "
    "CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR "
    "JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD "
    "NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN "
    "SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG",
    3: "BHD IQD JOD KWD LYD OMR TND",
}
_DIGITS_OF = {code: digits for digits, codes in _DIGITS.items() for code in codes.split()}
_SYMBOLS = {
    "EUR": "€",
    "GBP": "£",
    "ILS": "₪",
    "INR": "₹",
    "JPY": "¥",
    "KRW": "₩",
    "NGN": "₦",
    "PHP": "₱",
    "TRY": "₺",
    "UAH": "₴",
    "USD": "$",
    "VND": "₫",
}
_NOISE = 1e-9  # of decimals kept as binary


@dataclass(frozen=True)
class Currency:
    """A currency: its ISO 4217 code and the digits after the point."""

    code: str
    digits: int

    @property
    def scale(self) -> int:
        """Smallest units in one whole unit."""
        return int(10**self.digits)

    @property
    def smallest(self) -> float:
        """The smallest amount."""
        return 1 / self.scale

    @property
    def symbol(self) -> str:
        """What stands before an amount: a sign, or else the code and a space."""
        return _SYMBOLS.get(self.code, f"{self.code}\N{NO-BREAK SPACE}")

    @property
    def units_in_words(self) -> str:
        """What a price is a whole number of."""
        return "cents" if self.digits == 2 else f"{self.smallest:g} {self.code}"  # noqa: PLR2004 - most currencies

    def is_whole(self, amount: float) -> bool:
        """Tell whether an amount is a whole number of smallest units."""
        return abs(amount - round(amount, self.digits)) <= _NOISE

    def without_noise(self, amount: float) -> float:
        """Return an amount without the noise of decimals kept as binary; what is not whole stays as it is."""
        return round(amount, self.digits) if self.is_whole(amount) else amount

    def format_amount(self, amount: float) -> str:
        """Write an amount with its digits: `1.29`, `120`."""
        return f"{amount:.{self.digits}f}"

    def format_money(self, amount: float) -> str:
        """Write an amount with its currency: `1.29 EUR`."""
        return f"{self.format_amount(amount)} {self.code}"

    def format_difference(self, amount: float) -> str:
        """Write a difference with its digits and its sign in words: `1.29 EUR more`, `120 JPY less`."""
        return f"{self.format_money(abs(amount))} {'less' if amount < 0 else 'more'}"

    def format_sum(self, amount: float) -> str:
        """Write a sum with its currency, thousands apart: `1,234.50 EUR`."""
        return f"{amount:,.{self.digits}f} {self.code}"

    def format_title(self, text: str) -> str:
        """Return a title or the name of a column that says EUR with the code of this currency."""
        return text.replace(EUR.code, self.code)


@lru_cache
def currency_of(code: str) -> Currency:
    """Return a currency by its ISO 4217 code.

    Raises
    ------
    ValueError
        When there is none of that code.
    """
    if code not in _DIGITS_OF:
        raise ValueError(f"expected a code of ISO 4217 such as EUR, USD or JPY, found {code!r}")
    return Currency(code, _DIGITS_OF[code])


EUR = currency_of("EUR")
SMALLEST_OF_ALL = 1 / 10 ** max(_DIGITS)
"""The smallest unit of any currency."""
