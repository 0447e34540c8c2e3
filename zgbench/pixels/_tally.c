/* N[s, c] of one image: what zgbench/pixels/joint_histograms.py works out with sorted events, as one walk, compiled.

   The image is read column by column. Where its truth changes is found row by row, eight bytes at a time, and put under
   its column; then the stretches of one class and the runs of the segments are walked side by side.

   Only Python's limited API is used: one build serves every Python from 3.11 on. */

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000
#include <Python.h>
#include <stdint.h>
#include <string.h>

#define VOID (-1)    /* as zgbench.datasets.truth */
#define INVALID (-2)

typedef struct {
    const unsigned char *pixels; /* [height, width] of uint8 or uint16 */
    size_t height, width, size;  /* size: bytes a pixel */
} Truth;

static unsigned stored(const Truth *t, size_t row, size_t column) {
    const unsigned char *at = t->pixels + (row * t->width + column) * t->size;
    uint16_t wide;
    if (t->size == 1) {
        return *at;
    }
    memcpy(&wide, at, 2);
    return wide;
}

/* Every pixel that differs from the one above it, counted row by row, to be freed by the caller, and how many stand under
   each column; NULL without memory. */
static uint32_t *changes(const Truth *t, size_t *per_column, size_t *total) {
    size_t bytes = t->width * t->size, n = 0, room = 4096;
    uint32_t *found = PyMem_Malloc(room * sizeof(uint32_t));
    for (size_t row = 1; found != NULL && row < t->height; row++) {
        const unsigned char *here = t->pixels + row * bytes, *above = here - bytes;
        size_t at = 0;
        if (n + t->width > room) { /* a row cannot have more */
            room = 2 * room + t->width;
            uint32_t *more = PyMem_Realloc(found, room * sizeof(uint32_t));
            if (more == NULL) {
                PyMem_Free(found);
            }
            found = more;
            if (found == NULL) {
                break;
            }
        }
        while (at < bytes) {
            uint64_t a, b;
            size_t stop = at + 8 <= bytes ? at + 8 : bytes;
            if (stop - at == 8) {
                memcpy(&a, here + at, 8);
                memcpy(&b, above + at, 8);
                if (a == b) {
                    at = stop;
                    continue;
                }
            }
            for (; at < stop; at += t->size) { /* 8 and the row's bytes are whole pixels */
                if (here[at] != above[at] || (t->size == 2 && here[at + 1] != above[at + 1])) {
                    size_t column = at / t->size;
                    found[n++] = (uint32_t)(row * t->width + column);
                    per_column[column]++;
                }
            }
        }
    }
    *total = n;
    return found;
}

/* One side of the walk: runs [start, end) of owners, ascending; whatever lies between them is owner 0's. */
typedef struct {
    const uint32_t *starts, *ends, *owners;
    Py_ssize_t count;
    uint32_t base, nobody;
} Runs;

/* Adds the pixels [a, b) of one column's class to the histogram; runs before `a` are left behind. */
static void add(const Runs *r, Py_ssize_t *k, uint32_t a, uint32_t b, size_t stride, size_t column, int64_t *histogram) {
    while (a < b) {
        uint32_t stop = b, owner = 0;
        while (*k < r->count && r->ends[*k] - r->base <= a) {
            ++*k;
        }
        if (*k < r->count) {
            uint32_t start = r->starts[*k] - r->base, end = r->ends[*k] - r->base;
            if (start <= a) {
                owner = r->owners[*k] - r->nobody;
                stop = end < b ? end : b;
            } else if (start < b) {
                stop = start;
            }
        }
        histogram[owner * stride + column] += stop - a;
        a = stop;
    }
}

/* Entries of the histogram in order of segment and class, and the void pixels of each segment. */
static PyObject *entries(const int64_t *histogram, size_t owners, size_t stride) {
    Py_ssize_t n = 0;
    for (size_t owner = 0; owner < owners; owner++) {
        for (size_t c = 1; c < stride; c++) {
            n += histogram[owner * stride + c] != 0;
        }
    }
    PyObject *parts[4] = {NULL, NULL, NULL, NULL}, *found = NULL;
    int32_t *columns[4];
    for (int i = 0; i < 4; i++) {
        parts[i] = PyByteArray_FromStringAndSize(NULL, 4 * (i < 3 ? n : (Py_ssize_t)owners - 1));
        if (parts[i] == NULL) {
            goto done;
        }
        columns[i] = (int32_t *)PyByteArray_AsString(parts[i]);
    }
    n = 0;
    for (size_t owner = 0; owner < owners; owner++) {
        const int64_t *row = histogram + owner * stride;
        if (owner > 0) {
            columns[3][owner - 1] = (int32_t)row[0];
        }
        for (size_t c = 1; c < stride; c++) {
            if (row[c] != 0) {
                columns[0][n] = (int32_t)owner - 1;
                columns[1][n] = (int32_t)c + VOID;
                columns[2][n++] = (int32_t)row[c];
            }
        }
    }
    found = PyTuple_Pack(4, parts[0], parts[1], parts[2], parts[3]);
done:
    for (int i = 0; i < 4; i++) {
        Py_XDECREF(parts[i]);
    }
    return found;
}

/* The walk; NULL with an error set, or None where the truth holds a value that its table does not define. */
static PyObject *walk(const Truth *t, const int32_t *table, const Runs *r, size_t owners) {
    size_t *next = PyMem_Calloc(t->width + 1, sizeof(size_t));
    uint32_t *rows = NULL;
    int32_t *classes = NULL;
    int64_t *histogram = NULL;
    PyObject *found = NULL;
    size_t total = 0;
    if (next == NULL) {
        return PyErr_NoMemory();
    }
    uint32_t *changed = changes(t, next, &total);
    if (changed == NULL) {
        PyErr_NoMemory();
        goto done;
    }
    size_t begin = 0;
    for (size_t x = 0; x < t->width; x++) { /* from counts to where each column's begin */
        size_t here = next[x];
        next[x] = begin;
        begin += here;
    }
    rows = PyMem_Malloc((total + 1) * sizeof(uint32_t));
    classes = PyMem_Malloc((total + t->width) * sizeof(int32_t));
    if (rows == NULL || classes == NULL) {
        PyMem_Free(changed);
        PyErr_NoMemory();
        goto done;
    }
    for (size_t i = 0; i < total; i++) { /* now next[x] is where the column's end */
        rows[next[changed[i] % t->width]++] = (uint32_t)(changed[i] / t->width);
    }
    PyMem_Free(changed);
    int32_t highest = 0;
    size_t k = 0, from = 0;
    for (size_t x = 0; x < t->width; x++) {
        for (size_t i = from; i <= next[x]; i++) { /* the top of the column, then its changes */
            int32_t c = table[stored(t, i == from ? 0 : rows[i - 1], x)];
            if (c <= INVALID) {
                found = Py_NewRef(Py_None);
                goto done;
            }
            highest = c > highest ? c : highest;
            classes[k++] = c;
        }
        from = next[x];
    }
    size_t stride = (size_t)highest + 2;
    if (owners > (size_t)PY_SSIZE_T_MAX / sizeof(int64_t) / stride) {
        PyErr_NoMemory();
        goto done;
    }
    histogram = PyMem_Calloc(owners * stride, sizeof(int64_t));
    if (histogram == NULL) {
        PyErr_NoMemory();
        goto done;
    }
    Py_ssize_t run = 0;
    k = from = 0;
    for (size_t x = 0; x < t->width; x++) {
        uint32_t top = (uint32_t)(x * t->height), a = top;
        for (size_t i = from; i <= next[x]; i++) {
            uint32_t b = i < next[x] ? top + rows[i] : top + (uint32_t)t->height;
            add(r, &run, a, b, stride, (size_t)(classes[k++] - VOID), histogram);
            a = b;
        }
        from = next[x];
    }
    found = entries(histogram, owners, stride);
done:
    PyMem_Free(next);
    PyMem_Free(rows);
    PyMem_Free(classes);
    PyMem_Free(histogram);
    return found;
}

PyDoc_STRVAR(count_doc,
"count(pixels, height, width, table, starts, ends, owners, base, nobody, owners_in, /)\n--\n\n"
"N[s, c] of one image.\n\n"
"pixels, table: uint8 or uint16 [height, width] as stored, int32 [256 or 65536, the latter for uint16].\n"
"starts, ends, owners: uint32, of the image's runs in a strip, which do not overlap; base, nobody: where the image begins\n"
"there, and the number of its first owner; owners_in: how many it has, nobody included.\n"
"Gives segments, classes, pixels and void pixels as in joint_counts, int32 in bytearrays; None where the truth holds a\n"
"value that its table does not define.");

static PyObject *count(PyObject *module, PyObject *arguments) {
    Py_buffer buffers[5];
    Py_ssize_t height, width, base, nobody, owners;
    PyObject *found = NULL;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "y*nny*y*y*y*nnn", &buffers[0], &height, &width, &buffers[1], &buffers[2],
                          &buffers[3], &buffers[4], &base, &nobody, &owners)) {
        return NULL;
    }
    Truth t = {buffers[0].buf, (size_t)height, (size_t)width, 0};
    Runs r = {buffers[2].buf, buffers[3].buf, buffers[4].buf, buffers[2].len / 4, (uint32_t)base, (uint32_t)nobody};
    int sound = height > 0 && width > 0 && height <= INT32_MAX / width && owners > 0 && owners < INT32_MAX && base >= 0 &&
                nobody >= 0 && nobody <= UINT32_MAX - owners && base <= (Py_ssize_t)UINT32_MAX - height * width &&
                buffers[3].len == buffers[2].len && buffers[4].len == buffers[2].len;
    if (sound) {
        t.size = (size_t)buffers[0].len / (size_t)(height * width);
        sound = (t.size == 1 || t.size == 2) && buffers[0].len == height * width * (Py_ssize_t)t.size &&
                buffers[1].len >= (t.size == 1 ? 256 : 65536) * 4;
    }
    for (Py_ssize_t k = 0; sound && k < r.count; k++) { /* whatever they hold, nothing outside of the image is touched */
        sound = r.owners[k] >= r.nobody && r.owners[k] - r.nobody < (uint32_t)owners && r.starts[k] >= r.base &&
                r.ends[k] >= r.starts[k] && r.ends[k] - r.base <= (uint32_t)(height * width) &&
                (k == 0 || r.starts[k] >= r.ends[k - 1]);
    }
    if (sound) {
        found = walk(&t, buffers[1].buf, &r, (size_t)owners);
    } else {
        PyErr_SetString(PyExc_ValueError, "sizes, or runs, that do not fit together");
    }
    for (int i = 0; i < 5; i++) {
        PyBuffer_Release(&buffers[i]);
    }
    return found;
}

static PyMethodDef methods[] = {{"count", count, METH_VARARGS, count_doc}, {NULL, NULL, 0, NULL}};
static PyModuleDef_Slot slots[] = {{0, NULL}};
static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_tally", "One walk of zgbench.pixels.joint_histograms, compiled.", 0, methods, slots, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__tally(void) { return PyModuleDef_Init(&definition); }
