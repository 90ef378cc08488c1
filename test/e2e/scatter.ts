/** A workflow that runs a tool for each of its `numbers`; `fields` is what the tool has beside its input `$0` and its output. */
export const scatterOver = (fields: string): string => `cwlVersion: v1.2
class: Workflow
requirements: { ScatterFeatureRequirement: {} }
inputs: { numbers: "int[]" }
outputs: { all: { type: "File[]", outputSource: each/out } }
steps:
  each:
    scatter: number
    in: { number: numbers }
    out: [out]
    run:
      class: CommandLineTool
      inputs: { number: { type: int, inputBinding: {} } }
      stdout: out.txt
      outputs: { out: stdout }
      ${fields}
`;
