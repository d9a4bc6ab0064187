"""What a fill may use of the rest of a recording, besides texture and linear prediction."""

USING = ("auto", "texture", "partials", "recording")
