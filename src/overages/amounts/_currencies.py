"""ISO 4217 currency codes and their minor-unit exponents.

`CURRENT` follows list one of ISO 4217 and `WITHDRAWN` list three. List three prints no
exponents, so a withdrawn code has the one it had while current, or else its decimal subdivision.
Codes with no minor unit (XAU, XDR, XTS, XXX, XEU ...) are left out, because money is counted in
minor units here; so are the entries that ISO itself marked as never having been ISO codes.
"""

from typing import Final

# fmt: off
CURRENT: Final[dict[str, int]] = {
    "AED": 2, "AFN": 2, "ALL": 2, "AMD": 2, "AOA": 2, "ARS": 2, "AUD": 2, "AWG": 2, "AZN": 2,
    "BAM": 2, "BBD": 2, "BDT": 2, "BHD": 3, "BIF": 0, "BMD": 2, "BND": 2, "BOB": 2, "BOV": 2,
    "BRL": 2, "BSD": 2, "BTN": 2, "BWP": 2, "BYN": 2, "BZD": 2,
    "CAD": 2, "CDF": 2, "CHE": 2, "CHF": 2, "CHW": 2, "CLF": 4, "CLP": 0, "CNY": 2, "COP": 2,
    "COU": 2, "CRC": 2, "CUP": 2, "CVE": 2, "CZK": 2,
    "DJF": 0, "DKK": 2, "DOP": 2, "DZD": 2,
    "EGP": 2, "ERN": 2, "ETB": 2, "EUR": 2,
    "FJD": 2, "FKP": 2,
    "GBP": 2, "GEL": 2, "GHS": 2, "GIP": 2, "GMD": 2, "GNF": 0, "GTQ": 2, "GYD": 2,
    "HKD": 2, "HNL": 2, "HTG": 2, "HUF": 2,
    "IDR": 2, "ILS": 2, "INR": 2, "IQD": 3, "IRR": 2, "ISK": 0,
    "JMD": 2, "JOD": 3, "JPY": 0,
    "KES": 2, "KGS": 2, "KHR": 2, "KMF": 0, "KPW": 2, "KRW": 0, "KWD": 3, "KYD": 2, "KZT": 2,
    "LAK": 2, "LBP": 2, "LKR": 2, "LRD": 2, "LSL": 2, "LYD": 3,
    "MAD": 2, "MDL": 2, "MGA": 2, "MKD": 2, "MMK": 2, "MNT": 2, "MOP": 2, "MRU": 2, "MUR": 2,
    "MVR": 2, "MWK": 2, "MXN": 2, "MXV": 2, "MYR": 2, "MZN": 2,
    "NAD": 2, "NGN": 2, "NIO": 2, "NOK": 2, "NPR": 2, "NZD": 2,
    "OMR": 3,
    "PAB": 2, "PEN": 2, "PGK": 2, "PHP": 2, "PKR": 2, "PLN": 2, "PYG": 0,
    "QAR": 2,
    "RON": 2, "RSD": 2, "RUB": 2, "RWF": 0,
    "SAR": 2, "SBD": 2, "SCR": 2, "SDG": 2, "SEK": 2, "SGD": 2, "SHP": 2, "SLE": 2, "SOS": 2,
    "SRD": 2, "SSP": 2, "STN": 2, "SVC": 2, "SYP": 2, "SZL": 2,
    "THB": 2, "TJS": 2, "TMT": 2, "TND": 3, "TOP": 2, "TRY": 2, "TTD": 2, "TWD": 2, "TZS": 2,
    "UAH": 2, "UGX": 0, "USD": 2, "USN": 2, "UYI": 0, "UYU": 2, "UYW": 4, "UZS": 2,
    "VED": 2, "VES": 2, "VND": 0, "VUV": 0,
    "WST": 2,
    "XAD": 2, "XAF": 0, "XCD": 2, "XCG": 2, "XOF": 0, "XPF": 0,
    "YER": 2,
    "ZAR": 2, "ZMW": 2, "ZWG": 2,
}

WITHDRAWN: Final[dict[str, int]] = {
    "ADP": 0, "AFA": 2, "ANG": 2, "AOK": 2, "AON": 2, "AOR": 2, "ARA": 2, "ARP": 2, "ATS": 2,
    "AZM": 2,
    "BAD": 2, "BEC": 0, "BEF": 0, "BEL": 0, "BGL": 2, "BGN": 2, "BOP": 2, "BRB": 2, "BRC": 2,
    "BRE": 2, "BRN": 2, "BRR": 2, "BUK": 2, "BYB": 0, "BYR": 0,
    "CHC": 2, "CSD": 2, "CSK": 2, "CUC": 2, "CYP": 2,
    "DDM": 2, "DEM": 2,
    "ECS": 2, "ECV": 2, "EEK": 2, "ESA": 0, "ESB": 0, "ESP": 0,
    "FIM": 2, "FRF": 2,
    "GEK": 2, "GHC": 2, "GHP": 2, "GNS": 2, "GQE": 2, "GRD": 0, "GWE": 2, "GWP": 2,
    "HRD": 2, "HRK": 2,
    "IEP": 2, "ILP": 2, "ITL": 0,
    "LSM": 2, "LTL": 2, "LTT": 2, "LUC": 0, "LUF": 0, "LUL": 0, "LVL": 2, "LVR": 2,
    "MGF": 0, "MLF": 2, "MRO": 2, "MTL": 2, "MTP": 2, "MXP": 2, "MZE": 2, "MZM": 2,
    "NIC": 2, "NLG": 2,
    "PEI": 2, "PES": 2, "PLZ": 2, "PTE": 0,
    "RHD": 2, "ROL": 2, "RUR": 2,
    "SDD": 2, "SDP": 2, "SIT": 2, "SKK": 2, "SLL": 2, "SRG": 2, "STD": 2, "SUR": 2,
    "TJR": 2, "TMM": 2, "TPE": 0, "TRL": 0,
    "UAK": 2, "UGS": 2, "USS": 2, "UYP": 2,
    "VEB": 2, "VEF": 2,
    "YDD": 3, "YUD": 2, "YUM": 2, "YUN": 2,
    "ZAL": 2, "ZMK": 2, "ZRN": 2, "ZRZ": 2, "ZWD": 2, "ZWL": 2, "ZWN": 2, "ZWR": 2,
}
# fmt: on
