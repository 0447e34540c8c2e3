/* COCO's compressed run lengths to numbers: the sound case of zgbench/submission/rle.py, compiled.

   Texts come from strangers. Whatever is not plainly sound is not judged here: the answer is None, and rle.py looks at
   the same texts again and says what is wrong. So both ways refuse the same texts with the same words.

   Only Python's limited API is used: one build serves every Python from 3.11 on. */

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000
#include <Python.h>
#include <stdint.h>

#define LONGEST 7                   /* characters of a number: 35 bits, as _MAX_CHARACTERS_PER_NUMBER */
#define LONGEST_RUN (INT64_C(1) << 31) /* as _MAX_RUN */

/* How many numbers end in a text: characters without the continuation bit. */
static Py_ssize_t numbers_in(const unsigned char *text, Py_ssize_t length) {
    Py_ssize_t found = 0;
    for (Py_ssize_t i = 0; i < length; i++) {
        found += (unsigned char)(text[i] - 48) < 32;
    }
    return found;
}

/* The run lengths of one text; writes at most numbers_in(text) of them. How many, or -1 where the text is not sound. */
static Py_ssize_t read_text(const unsigned char *text, Py_ssize_t length, int64_t *runs) {
    Py_ssize_t n = 0;
    const unsigned char *at = text, *end = text + length;
    if (length == 0) {
        return -1;
    }
    while (at < end) {
        int64_t number = 0;
        unsigned value;
        int shift = 0;
        do {
            if (at == end || shift == 5 * LONGEST) {
                return -1; /* cut off, or too long */
            }
            value = (unsigned char)(*at++ - 48); /* wraps below 48 */
            if (value > 63) {
                return -1; /* outside of the alphabet */
            }
            number |= (int64_t)(value & 31) << shift;
            shift += 5;
        } while (value & 32);
        if (value & 16) {
            number -= INT64_C(1) << shift;
        }
        if (n > 2) {
            number += runs[n - 2]; /* at most 2^31 each before: no overflow */
        }
        if (number < 0 || number > LONGEST_RUN) {
            return -1;
        }
        runs[n++] = number;
    }
    return n;
}

PyDoc_STRVAR(parse_doc,
"parse(texts, /)\n--\n\n"
"Run lengths of many compressed texts (a list of bytes), and where each text's begin, as int64 in two bytearrays;\n"
"None where a text is not sound.");

static PyObject *parse(PyObject *module, PyObject *texts) {
    (void)module;
    if (!PyList_Check(texts)) {
        PyErr_SetString(PyExc_TypeError, "expected a list of bytes");
        return NULL;
    }
    Py_ssize_t n_texts = PyList_Size(texts), total = 0;
    for (Py_ssize_t i = 0; i < n_texts; i++) {
        char *text;
        Py_ssize_t length;
        if (PyBytes_AsStringAndSize(PyList_GetItem(texts, i), &text, &length) < 0) {
            return NULL;
        }
        total += numbers_in((const unsigned char *)text, length); /* the texts are in memory: no overflow */
    }
    if (total > PY_SSIZE_T_MAX / 8 || n_texts > PY_SSIZE_T_MAX / 8 - 1) {
        return PyErr_NoMemory();
    }
    PyObject *counts = PyByteArray_FromStringAndSize(NULL, 8 * total);
    PyObject *offsets = PyByteArray_FromStringAndSize(NULL, 8 * (n_texts + 1));
    PyObject *found = NULL;
    if (counts == NULL || offsets == NULL) {
        goto done;
    }
    int64_t *runs = (int64_t *)PyByteArray_AsString(counts), *places = (int64_t *)PyByteArray_AsString(offsets);
    Py_ssize_t written = 0;
    places[0] = 0;
    for (Py_ssize_t i = 0; i < n_texts; i++) {
        char *text;
        Py_ssize_t length;
        if (PyBytes_AsStringAndSize(PyList_GetItem(texts, i), &text, &length) < 0) {
            goto done;
        }
        Py_ssize_t n = read_text((const unsigned char *)text, length, runs + written);
        if (n < 0) {
            found = Py_NewRef(Py_None);
            goto done;
        }
        places[i + 1] = written += n;
    }
    found = PyTuple_Pack(2, counts, offsets);
done:
    Py_XDECREF(counts);
    Py_XDECREF(offsets);
    return found;
}

static PyMethodDef methods[] = {{"parse", parse, METH_O, parse_doc}, {NULL, NULL, 0, NULL}};
static PyModuleDef_Slot slots[] = {{0, NULL}};
static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_runs", "The sound case of zgbench.submission.rle.parse, compiled.", 0, methods, slots, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__runs(void) { return PyModuleDef_Init(&definition); }
