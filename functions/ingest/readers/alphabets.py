"""The letters beyond ASCII that languages use, by how often, and the encodings those languages are written in."""

_FRENCH = "éàèêçôîâûùïëœüæÿ"
_GERMAN = "üäößé"
_SPANISH = "óíáéñúüªº"
_ITALIAN = "àèùòìéí"
_PORTUGUESE = "ãçáéíóõêúâôàüªº"
_CATALAN = "àèóéíòçúïü"
_NORDIC = "åäöøæéüóáðþíúý"
_DUTCH = "ëéèïöüêâç"
_POLISH = "łóążęśćńź"
_CZECH = "íáéěřšžčýůúňťďóöäľĺŕôü"
_HUNGARIAN = "áéóöőíüúű"
_ROMANIAN = "ăîâșțşţ"
_CROATIAN = "šćčžđ"
_TURKISH = "ıüşğçöâî"
_CYRILLIC = "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъёіїєґўјљњћђџѓќѕ"
_GREEK = "αοιετσνηυρπκμλωςγδάίόέήύθχφβώξζψϊϋΐΰ"

WEST = (_FRENCH, _GERMAN, _SPANISH, _ITALIAN, _PORTUGUESE, _CATALAN, _NORDIC, _DUTCH, _FRENCH + _GERMAN + _ITALIAN)
_CENTRE = (_POLISH, _CZECH, _HUNGARIAN, _ROMANIAN, _CROATIAN)

ASSUMED = "cp1252"  # what a file is read as that says nothing else

# In the order of preference: of two that read a file alike, the first is named.
ALPHABETS: dict[str, tuple[str, ...]] = {
    ASSUMED: WEST,
    "cp850": WEST,
    "mac_roman": WEST,
    "cp1250": _CENTRE,
    "iso8859_2": _CENTRE,
    "cp852": _CENTRE,
    "cp1254": (_TURKISH,),
    "cp1251": (_CYRILLIC,),
    "koi8_r": (_CYRILLIC,),
    "cp866": (_CYRILLIC,),
    "iso8859_5": (_CYRILLIC,),
    "mac_cyrillic": (_CYRILLIC,),
    "cp1253": (_GREEK,),
    "cp737": (_GREEK,),
}
NOT_LATIN = (_CYRILLIC, _GREEK)  # written in these letters only: many in a row are usual
EAST_ASIAN = ("gb18030", "big5", "shift_jis", "euc_jp", "cp949")
