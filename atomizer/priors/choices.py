"""Names of the recording priors, for settings and the command line; loads neither torch nor scipy.

`registry.predict_from_recording` accepts them: "auto" applies all recording priors in turn,
"texture" none, every other name is that of a row of `registry.RECORDING_PRIORS`.
"""

USING = ("auto", "texture", "partials", "recording")
